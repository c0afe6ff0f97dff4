// Prints what one version of Kubernetes says of its API: the definitions of its generated OpenAPI, which alone hold enums
// and defaults, the kinds of its groups, and from when to when each of them is served.
package main

import (
	"encoding/json"
	"os"
	"reflect"
	"strings"

	apiextensions "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes/scheme"
	apiregistration "k8s.io/kube-aggregator/pkg/apis/apiregistration/v1"
	"k8s.io/kube-openapi/pkg/common"
	"k8s.io/kube-openapi/pkg/validation/spec"
	"k8s.io/kubernetes/pkg/generated/openapi"
)

// kind is one kind of one version of a group.
type kind struct {
	APIVersion  string `json:"apiVersion"`
	Kind        string `json:"kind"`
	Definition  string `json:"definition"`
	Introduced  string `json:"introduced,omitempty"`
	Deprecated  string `json:"deprecated,omitempty"`
	Removed     string `json:"removed,omitempty"`
	Replacement string `json:"replacement,omitempty"`
}

type modelName interface{ OpenAPIModelName() string }
type introduced interface{ APILifecycleIntroduced() (int, int) }
type deprecated interface{ APILifecycleDeprecated() (int, int) }
type removed interface{ APILifecycleRemoved() (int, int) }
type replacement interface {
	APILifecycleReplacement() schema.GroupVersionKind
}

func main() {
	check(apiextensions.AddToScheme(scheme.Scheme))
	check(apiregistration.AddToScheme(scheme.Scheme))
	definitions := map[string]spec.Schema{}
	ref := func(name string) spec.Ref { return spec.MustCreateRef("#/definitions/" + name) }
	for name, it := range openapi.GetOpenAPIDefinitions(common.ReferenceCallback(ref)) {
		definitions[name] = it.Schema
	}
	var kinds []kind
	for gvk, it := range scheme.Scheme.AllKnownTypes() {
		// What every group has, such as ListOptions, is no kind of its own.
		if gvk.Version == runtime.APIVersionInternal || !strings.Contains(it.PkgPath(), gvk.Version) {
			continue
		}
		kinds = append(kinds, of(gvk, it))
	}
	check(json.NewEncoder(os.Stdout).Encode(map[string]any{"definitions": definitions, "kinds": kinds}))
}

func of(gvk schema.GroupVersionKind, it reflect.Type) kind {
	value := reflect.New(it).Interface()
	found := kind{APIVersion: gvk.GroupVersion().String(), Kind: gvk.Kind, Definition: it.PkgPath() + "." + it.Name()}
	if named, ok := value.(modelName); ok {
		found.Definition = named.OpenAPIModelName()
	}
	if it, ok := value.(introduced); ok {
		found.Introduced = version(it.APILifecycleIntroduced())
	}
	if it, ok := value.(deprecated); ok {
		found.Deprecated = version(it.APILifecycleDeprecated())
	}
	if it, ok := value.(removed); ok {
		found.Removed = version(it.APILifecycleRemoved())
	}
	if it, ok := value.(replacement); ok {
		gvk := it.APILifecycleReplacement()
		found.Replacement = gvk.GroupVersion().String() + " " + gvk.Kind
	}
	return found
}

func version(major, minor int) string {
	text, err := json.Marshal([]int{major, minor})
	check(err)
	return strings.ReplaceAll(strings.Trim(string(text), "[]"), ",", ".")
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}
