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

	"purlin.dev/oracle/ask"
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
	if len(os.Args) > 1 && os.Args[1] == "resources" {
		each(os.Args[2:], resources)
		return
	}
	if len(os.Args) < 2 || commands[os.Args[1]] == nil {
		end(errors.New("usage: oracle filters|search|replay|resources FILE… | security < PODS | security-tests FOLDER"))
	}
	ask := commands[os.Args[1]]
	each(os.Args[2:], func(path string) (any, error) { return about(path, ask) })
}

// each gives a line for each file.
func each(paths []string, answer func(string) (any, error)) {
	encoder := json.NewEncoder(os.Stdout)
	for _, path := range paths {
		line := map[string]any{"path": path}
		answer, err := answer(path)
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

// resources gives what Kubernetes counts of workloads, quotas, budgets, rollouts and drains.
func resources(path string) (any, error) {
	objects, _, err := world.Load([]string{path})
	if err != nil {
		return nil, err
	}
	floor, err := ask.Budgets(objects, false)
	if err != nil {
		return nil, err
	}
	peak, err := ask.Budgets(objects, true)
	if err != nil {
		return nil, err
	}
	return map[string]any{
		"invalid": ask.Invalid(objects), "requests": ask.Requests(objects), "quotas": ask.Quotas(objects),
		"budgets": floor, "budgetsAtPeak": peak, "rollouts": ask.Rollouts(objects), "drains": ask.Drains(objects),
	}, nil
}
