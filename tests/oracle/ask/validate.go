package ask

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/validation/field"
	genericapirequest "k8s.io/apiserver/pkg/endpoints/request"
	"k8s.io/apiserver/pkg/registry/rest"
	"k8s.io/kubernetes/pkg/api/legacyscheme"
	"k8s.io/kubernetes/pkg/apis/apps"
	"k8s.io/kubernetes/pkg/apis/autoscaling"
	"k8s.io/kubernetes/pkg/apis/batch"
	"k8s.io/kubernetes/pkg/apis/core"
	"k8s.io/kubernetes/pkg/apis/policy"
	"k8s.io/kubernetes/pkg/registry/apps/daemonset"
	"k8s.io/kubernetes/pkg/registry/apps/deployment"
	"k8s.io/kubernetes/pkg/registry/apps/replicaset"
	"k8s.io/kubernetes/pkg/registry/apps/statefulset"
	"k8s.io/kubernetes/pkg/registry/autoscaling/horizontalpodautoscaler"
	"k8s.io/kubernetes/pkg/registry/batch/job"
	"k8s.io/kubernetes/pkg/registry/core/limitrange"
	podregistry "k8s.io/kubernetes/pkg/registry/core/pod"
	"k8s.io/kubernetes/pkg/registry/core/resourcequota"
	"k8s.io/kubernetes/pkg/registry/policy/poddisruptionbudget"

	"purlin.dev/oracle/world"
)

// strategy is what the API server does with an object before it stores it.
type strategy interface {
	PrepareForCreate(ctx context.Context, object runtime.Object)
	Validate(ctx context.Context, object runtime.Object) field.ErrorList
}

func strategyOf(object runtime.Object) strategy {
	switch object.(type) {
	case *apps.Deployment:
		return deployment.Strategy
	case *apps.StatefulSet:
		return statefulset.Strategy
	case *apps.ReplicaSet:
		return replicaset.Strategy
	case *apps.DaemonSet:
		return daemonset.Strategy
	case *batch.Job:
		return job.Strategy
	case *core.Pod:
		return podregistry.Strategy
	case *core.LimitRange:
		return limitrange.Strategy
	case *core.ResourceQuota:
		return resourcequota.Strategy
	case *policy.PodDisruptionBudget:
		return poddisruptionbudget.Strategy
	case *autoscaling.HorizontalPodAutoscaler:
		return horizontalpodautoscaler.Strategy
	}
	return nil
}

// Invalid gives the objects, and the pods of workloads, that the registry refuses.
func Invalid(objects []world.Object) map[string]string {
	out := map[string]string{}
	for _, o := range objects {
		versioned := o.Object.DeepCopyObject()
		legacyscheme.Scheme.Default(versioned)
		internal, err := legacyscheme.Scheme.UnsafeConvertToVersion(versioned, runtime.InternalGroupVersioner)
		if err != nil {
			continue
		}
		if err := refusal(internal); err != "" {
			accessor, _ := meta.Accessor(internal)
			out[fmt.Sprintf("%s/%s/%s", o.GetObjectKind().GroupVersionKind().Kind, accessor.GetNamespace(), accessor.GetName())] = err
		}
	}
	admission := NewAdmission(objects)
	for _, w := range world.Workloads(objects) {
		pod := world.Internal(w.Pod(0))
		admission.mutate(w.Pod(0))(pod)
		if err := refusal(pod); err != "" {
			out[w.ID()] = err
		}
	}
	return out
}

func refusal(object runtime.Object) string {
	of := strategyOf(object)
	if of == nil {
		return ""
	}
	accessor, _ := meta.Accessor(object)
	rest.FillObjectMetaSystemFields(accessor)
	ctx := genericapirequest.WithNamespace(context.Background(), accessor.GetNamespace())
	ctx = genericapirequest.WithRequestInfo(ctx, &genericapirequest.RequestInfo{IsResourceRequest: true, Verb: "create"})
	of.PrepareForCreate(ctx, object)
	if errs := of.Validate(ctx, object); len(errs) > 0 {
		return errs.ToAggregate().Error()
	}
	return ""
}
