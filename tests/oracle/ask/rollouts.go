package ask

import (
	"context"
	"sort"

	appsv1 "k8s.io/api/apps/v1"
	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/kubectl/pkg/drain"
	daemonutil "k8s.io/kubernetes/pkg/controller/daemon/util"
	deploymentutil "k8s.io/kubernetes/pkg/controller/deployment/util"

	"purlin.dev/oracle/world"
)

// Rollout is how many pods a rolling update adds and may miss, at the floor and at the peak.
type Rollout struct {
	Workload         string `json:"workload"`
	Strategy         string `json:"strategy"`
	Floor            int32  `json:"floor"`
	Peak             int32  `json:"peak"`
	SurgeFloor       int32  `json:"surgeAtFloor"`
	SurgePeak        int32  `json:"surgeAtPeak"`
	UnavailableFloor int32  `json:"unavailableAtFloor"`
	UnavailablePeak  int32  `json:"unavailableAtPeak"`
}

// Rollouts asks the Deployment and DaemonSet controllers' own helpers.
func Rollouts(objects []world.Object) []Rollout {
	out := []Rollout{}
	for _, w := range world.Workloads(objects) {
		answer := Rollout{Workload: w.ID(), Floor: w.Floor, Peak: w.Peak}
		switch o := w.Object.(type) {
		case *appsv1.Deployment:
			answer.Strategy = string(o.Spec.Strategy.Type)
			at := func(n int32) (int32, int32) {
				copy := o.DeepCopy()
				copy.Spec.Replicas = &n
				return deploymentutil.MaxSurge(*copy), deploymentutil.MaxUnavailable(*copy)
			}
			answer.SurgeFloor, answer.UnavailableFloor = at(w.Floor)
			answer.SurgePeak, answer.UnavailablePeak = at(w.Peak)
		case *appsv1.DaemonSet:
			answer.Strategy = string(o.Spec.UpdateStrategy.Type)
			surge, _ := daemonutil.SurgeCount(o, int(w.Peak))
			unavailable, _ := daemonutil.UnavailableCount(o, int(w.Peak))
			answer.SurgeFloor, answer.SurgePeak = int32(surge), int32(surge)
			answer.UnavailableFloor, answer.UnavailablePeak = int32(unavailable), int32(unavailable)
		default:
			continue
		}
		out = append(out, answer)
	}
	return out
}

// Drains gives, for each node, the pods that kubectl drain evicts before any budget is asked, with the flags
// --ignore-daemonsets --force --delete-emptydir-data.
func Drains(objects []world.Object) map[string][]string {
	var things []runtime.Object
	var nodes []string
	for _, o := range objects {
		switch object := o.Object.(type) {
		case *v1.Pod:
			things = append(things, world.Pod(object))
		case *appsv1.DaemonSet:
			things = append(things, object)
		case *v1.Node:
			nodes = append(nodes, object.Name)
		}
	}
	helper := &drain.Helper{Ctx: context.Background(), Client: fake.NewClientset(things...), IgnoreAllDaemonSets: true,
		Force: true, DeleteEmptyDirData: true, GracePeriodSeconds: -1}
	out := map[string][]string{}
	for _, node := range nodes {
		list, errs := helper.GetPodsForDeletion(node)
		if len(errs) > 0 {
			panic(errs)
		}
		out[node] = []string{}
		for _, pod := range list.Pods() {
			// The fake client knows no field selectors.
			if pod.Spec.NodeName != node {
				continue
			}
			out[node] = append(out[node], pod.Namespace+"/"+pod.Name)
		}
		sort.Strings(out[node])
	}
	return out
}
