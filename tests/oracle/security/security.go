// Package security asks Pod Security Admission's own checks about pods, at both levels and in every policy version.
package security

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/kubernetes/pkg/api/legacyscheme"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
	"sigs.k8s.io/yaml"

	"purlin.dev/oracle/world"
)

// newest is the last policy version with a check of its own; tests/it/pod_security.rs holds purlin to it.
const newest = 37

// Since says which checks refuse a pod from this minor version on.
type Since struct {
	Minor  int      `json:"since"`
	Checks []string `json:"checks"`
}

// Answer is what Pod Security says of one pod.
type Answer struct {
	Pod        json.RawMessage `json:"pod,omitempty"`
	Files      []File          `json:"files,omitempty"`
	Baseline   []Since         `json:"baseline"`
	Restricted []Since         `json:"restricted"`
}

// File is a manifest of Pod Security Admission's own tests.
type File struct {
	Level  string `json:"level"`
	Minor  int    `json:"minor"`
	Passes bool   `json:"passes"`
}

type evaluator struct{ policy.Evaluator }

// newEvaluator gives one whose reasons are the names of the checks.
func newEvaluator() (evaluator, error) {
	checks := policy.DefaultChecks()
	for _, check := range checks {
		for at := range check.Versions {
			original := check.Versions[at].CheckPod
			check.Versions[at].CheckPod = func(metadata *metav1.ObjectMeta, spec *v1.PodSpec) policy.CheckResult {
				result := original(metadata, spec)
				result.ForbiddenReason = string(check.ID)
				return result
			}
		}
	}
	inner, err := policy.NewEvaluator(checks, nil)
	return evaluator{inner}, err
}

func (e evaluator) refused(level api.Level, pod *v1.Pod) []Since {
	answers := []Since{}
	for minor := 0; minor <= newest; minor++ {
		checks := []string{}
		at := api.LevelVersion{Level: level, Version: api.MajorMinorVersion(1, minor)}
		for _, result := range e.EvaluatePod(at, &pod.ObjectMeta, &pod.Spec) {
			if !result.Allowed {
				checks = append(checks, result.ForbiddenReason)
			}
		}
		last := len(answers) - 1
		if last < 0 || strings.Join(answers[last].Checks, " ") != strings.Join(checks, " ") {
			answers = append(answers, Since{minor, checks})
		}
	}
	return answers
}

// ask judges the pod as the API server stores it.
func (e evaluator) ask(raw []byte) (Answer, error) {
	object, _, err := legacyscheme.Codecs.UniversalDeserializer().Decode(raw, nil, nil)
	if err != nil {
		return Answer{}, err
	}
	pod, ok := object.(*v1.Pod)
	if !ok {
		return Answer{}, fmt.Errorf("a %T is no Pod", object)
	}
	stored := world.Pod(pod)
	// The registry takes ephemeral containers out of a new pod; they come by a request of their own.
	stored.Spec.EphemeralContainers = pod.Spec.EphemeralContainers
	return Answer{
		Baseline:   e.refused(api.LevelBaseline, stored),
		Restricted: e.refused(api.LevelRestricted, stored),
	}, nil
}

// Lines answers for one pod a line, without repeating it.
func Lines(in io.Reader, out io.Writer) error {
	evaluator, err := newEvaluator()
	if err != nil {
		return err
	}
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 1<<24)
	encoder := json.NewEncoder(out)
	for lines.Scan() {
		answer, err := evaluator.ask(lines.Bytes())
		if err != nil {
			return err
		}
		if err := encoder.Encode(answer); err != nil {
			return err
		}
	}
	return lines.Err()
}

// TestData answers for the manifests below Pod Security Admission's test/testdata, each different pod once with the
// files that hold it.
func TestData(folder string, out io.Writer) error {
	evaluator, err := newEvaluator()
	if err != nil {
		return err
	}
	pods := map[string]*Answer{}
	err = filepath.Walk(folder, func(path string, info os.FileInfo, err error) error {
		if err != nil || info.IsDir() || filepath.Ext(path) != ".yaml" {
			return err
		}
		file, err := fileOf(folder, path)
		if err != nil {
			return err
		}
		raw, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		raw, err = yaml.YAMLToJSON(raw)
		if err != nil {
			return err
		}
		key := string(raw)
		if pods[key] == nil {
			answer, err := evaluator.ask(raw)
			if err != nil {
				return fmt.Errorf("%s: %w", path, err)
			}
			answer.Pod = bytes.TrimSpace(raw)
			pods[key] = &answer
		}
		pods[key].Files = append(pods[key].Files, file)
		return nil
	})
	if err != nil {
		return err
	}
	encoder := json.NewEncoder(out)
	for _, key := range world.Sorted(pods) {
		if err := encoder.Encode(pods[key]); err != nil {
			return err
		}
	}
	return nil
}

// fileOf reads what a path says: baseline/v1.8/fail/name.yaml.
func fileOf(folder, path string) (File, error) {
	relative, err := filepath.Rel(folder, path)
	if err != nil {
		return File{}, err
	}
	parts := strings.Split(relative, string(filepath.Separator))
	if len(parts) != 4 {
		return File{}, fmt.Errorf("%s is not LEVEL/VERSION/pass|fail/NAME", relative)
	}
	minor, err := strconv.Atoi(strings.TrimPrefix(parts[1], "v1."))
	return File{parts[0], minor, parts[2] == "pass"}, err
}
