// Package ask puts questions about resources, quotas, budgets, rollouts and drains to Kubernetes' own code.
package ask

import (
	"sort"

	v1 "k8s.io/api/core/v1"
	nodev1 "k8s.io/api/node/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	quota "k8s.io/apiserver/pkg/quota/v1"
	helpers "k8s.io/component-helpers/resource"
	"k8s.io/kubernetes/pkg/api/legacyscheme"
	"k8s.io/kubernetes/pkg/apis/core"
	"k8s.io/kubernetes/pkg/apis/core/v1/helper/qos"
	quotacore "k8s.io/kubernetes/pkg/quota/v1/evaluator/core"
	"k8s.io/kubernetes/plugin/pkg/admission/limitranger"
	"k8s.io/utils/clock"

	"purlin.dev/oracle/world"
)

// Admission is what the plugins LimitRanger and RuntimeClass know.
type Admission struct {
	ranges   map[string][]*v1.LimitRange
	runtimes map[string]*nodev1.RuntimeClass
}

// NewAdmission collects the LimitRanges and RuntimeClasses.
func NewAdmission(objects []world.Object) *Admission {
	a := &Admission{map[string][]*v1.LimitRange{}, map[string]*nodev1.RuntimeClass{}}
	for _, o := range objects {
		switch object := o.Object.DeepCopyObject().(type) {
		case *v1.LimitRange:
			legacyscheme.Scheme.Default(object)
			if object.Namespace == "" {
				object.Namespace = "default"
			}
			a.ranges[object.Namespace] = append(a.ranges[object.Namespace], object)
		case *nodev1.RuntimeClass:
			a.runtimes[object.Name] = object
		}
	}
	return a
}

// Pod is the pod as stored, after the defaults, LimitRanger and RuntimeClass.
func (a *Admission) Pod(pod *v1.Pod) *v1.Pod { return world.Pod(pod, a.mutate(pod)) }

func (a *Admission) mutate(pod *v1.Pod) func(*core.Pod) {
	return func(internal *core.Pod) {
		for _, limits := range a.ranges[pod.Namespace] {
			if err := limitranger.PodMutateLimitFunc(limits, internal); err != nil {
				panic(err)
			}
		}
		if internal.Spec.RuntimeClassName == nil {
			return
		}
		class := a.runtimes[*internal.Spec.RuntimeClassName]
		if class == nil || class.Overhead == nil {
			return
		}
		internal.Spec.Overhead = core.ResourceList{}
		for name, value := range class.Overhead.PodFixed {
			internal.Spec.Overhead[core.ResourceName(name)] = value
		}
	}
}

// Refuses is LimitRanger's verdict on the pod, empty for yes.
func (a *Admission) Refuses(pod *v1.Pod) []string {
	var out []string
	stored := world.Internal(a.Pod(pod))
	for _, limits := range a.ranges[pod.Namespace] {
		if err := limitranger.PodValidateLimitFunc(limits, stored); err != nil {
			out = append(out, limits.Name+": "+err.Error())
		}
	}
	sort.Strings(out)
	return out
}

// Resources is what Kubernetes counts of one pod.
type Resources struct {
	Workload string            `json:"workload"`
	Floor    int32             `json:"floor"`
	Peak     int32             `json:"peak"`
	Requests map[string]string `json:"requests"`
	Limits   map[string]string `json:"limits"`
	QoS      string            `json:"qos"`
	Refused  []string          `json:"limitRanger,omitempty"`
}

// Requests gives them for each workload.
func Requests(objects []world.Object) []Resources {
	admission := NewAdmission(objects)
	out := []Resources{}
	for _, w := range world.Workloads(objects) {
		raw := w.Pod(0)
		pod := admission.Pod(raw)
		out = append(out, Resources{
			Workload: w.ID(), Floor: w.Floor, Peak: w.Peak,
			Requests: list(helpers.PodRequests(pod, helpers.PodResourcesOptions{})),
			Limits:   list(helpers.PodLimits(pod, helpers.PodResourcesOptions{})),
			QoS:      string(qos.ComputePodQOS(pod)),
			Refused:  admission.Refuses(raw),
		})
	}
	return out
}

func list(l v1.ResourceList) map[string]string {
	out := map[string]string{}
	for name, value := range l {
		out[string(name)] = value.String()
	}
	return out
}

// QuotaLine is one line of a quota against the namespace's workloads.
type QuotaLine struct {
	Hard  string `json:"hard"`
	Floor string `json:"floor"`
	Peak  string `json:"peak"`
	Over  bool   `json:"overAtPeak"`
}

// QuotaAnswer is what a quota says of its namespace.
type QuotaAnswer struct {
	Quota    string               `json:"quota"`
	Lines    map[string]QuotaLine `json:"lines"`
	Rejected map[string]string    `json:"rejected"` // workload -> "must specify …"
	Counted  []string             `json:"counted"`  // workloads that its scopes take in
}

// Quotas charges every workload's pods, at its floor and its peak, with the pod evaluator.
func Quotas(objects []world.Object) []QuotaAnswer {
	admission := NewAdmission(objects)
	evaluator := quotacore.NewPodEvaluator(nil, clock.RealClock{})
	workloads := world.Workloads(objects)
	answers := []QuotaAnswer{}
	for _, o := range objects {
		q, ok := o.Object.(*v1.ResourceQuota)
		if !ok {
			continue
		}
		q = q.DeepCopy()
		legacyscheme.Scheme.Default(q)
		if q.Namespace == "" {
			q.Namespace = "default"
		}
		q.Status.Hard = q.Spec.Hard
		answer := QuotaAnswer{Quota: q.Namespace + "/" + q.Name, Lines: map[string]QuotaLine{}, Rejected: map[string]string{}, Counted: []string{}}
		floor, peak := v1.ResourceList{}, v1.ResourceList{}
		for _, w := range workloads {
			if w.Namespace != q.Namespace {
				continue
			}
			pod := admission.Pod(w.Pod(0))
			matches, err := evaluator.Matches(q, pod)
			if err != nil {
				panic(err)
			}
			if !matches {
				continue
			}
			answer.Counted = append(answer.Counted, w.ID())
			names := evaluator.MatchingResources(quota.ResourceNames(q.Spec.Hard))
			if err := evaluator.Constraints(names, pod); err != nil {
				answer.Rejected[w.ID()] = err.Error()
			}
			usage, err := evaluator.Usage(pod)
			if err != nil {
				panic(err)
			}
			floor = quota.Add(floor, times(usage, w.Floor))
			peak = quota.Add(peak, times(usage, w.Peak))
		}
		for name, hard := range q.Spec.Hard {
			at := peak[name]
			low := floor[name]
			answer.Lines[string(name)] = QuotaLine{Hard: hard.String(), Floor: low.String(), Peak: at.String(), Over: at.Cmp(hard) > 0}
		}
		answers = append(answers, answer)
	}
	return answers
}

func times(l v1.ResourceList, n int32) v1.ResourceList {
	out := v1.ResourceList{}
	for name, value := range l {
		sum := resource.Quantity{Format: value.Format}
		for range n {
			sum.Add(value)
		}
		out[name] = sum
	}
	return out
}
