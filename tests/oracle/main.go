// Command oracle asks Kubernetes' own scheduler which node takes which pod, and Pod Security which namespaces do.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/klog/v2"

	"purlin.dev/oracle/sched"
	"purlin.dev/oracle/security"
	"purlin.dev/oracle/world"
)

// How much the search may look at.
const (
	states  = 200_000
	seconds = 20 * time.Second
)

func main() {
	klog.SetLogger(logr.Discard())
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case "security":
			end(security.Lines(os.Stdin, os.Stdout))
		case "security-tests":
			end(security.TestData(os.Args[2], os.Stdout))
		}
	}
	commands := map[string]func(*sched.Cluster, string) (any, error){
		"filters": filters,
		"search":  func(c *sched.Cluster, _ string) (any, error) { return c.Search(states, seconds), nil },
		"replay":  replay,
	}
	if len(os.Args) < 2 || commands[os.Args[1]] == nil {
		end(errors.New("usage: oracle filters|search|replay FILE… | security < PODS | security-tests FOLDER"))
	}
	encoder := json.NewEncoder(os.Stdout)
	for _, path := range os.Args[2:] {
		line := map[string]any{"path": path}
		answer, err := about(path, commands[os.Args[1]])
		if err != nil {
			line["error"] = err.Error()
		} else {
			line["answer"] = answer
		}
		if err := encoder.Encode(line); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(2)
		}
	}
}

func end(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	os.Exit(0)
}

func about(path string, ask func(*sched.Cluster, string) (any, error)) (any, error) {
	objects, _, err := world.Load([]string{path})
	if err != nil {
		return nil, err
	}
	cluster, err := sched.New(objects)
	if err != nil {
		return nil, err
	}
	defer cluster.Close()
	return ask(cluster, path)
}

// filters gives the plugins that refuse each waiting pod on each node, on the cluster as it stands.
func filters(cluster *sched.Cluster, _ string) (any, error) {
	type answer struct {
		Pod   string                   `json:"pod"`
		Nodes map[string]sched.Verdict `json:"nodes"`
	}
	answers := []answer{}
	for _, pod := range cluster.Pending {
		answers = append(answers, answer{pod.Namespace + "/" + pod.Name, cluster.Ask(pod)})
	}
	return answers, nil
}

// replay holds the way beside a world (0.yaml.steps) to the real filters, step by step.
func replay(cluster *sched.Cluster, path string) (any, error) {
	raw, err := os.ReadFile(path + ".steps")
	if err != nil {
		return nil, err
	}
	var steps []sched.Step
	if err := json.Unmarshal(raw, &steps); err != nil {
		return nil, err
	}
	return cluster.Replay(steps), nil
}
