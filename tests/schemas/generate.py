#!/usr/bin/env python3
"""Writes src/api/schema/definitions.z and the table of kinds in it: what each version of Kubernetes says of its API.

    tests/schemas/generate.py [FOLDER]

asks the Go modules of each version (tests/schemas/dump.sh; needs Go and its module proxy, a minute of CPU a version). Dumps
that FOLDER holds already as 1.37.json are taken as they are, and new ones are left there.

The form, one line each, before it is compressed (zlib):

    versions 28 37                                         the minor versions that it holds
    D 28:0 31:5 34:-                                       a definition: from which version on it has which body
    B image:s;ports:[12^containerPort,protocol;name!:s     a body: its fields
    K apps/v1 Deployment 28 37 5 1.9 - - -                 a kind: versions that know it, definition, when it was introduced,
                                                           deprecated and removed, and what replaces it

A field is its name, `!` if it is required, its type, `|` and the values of its enum, `=` and its default. Types: s string,
i int32, l int64, n number, b boolean, x int or string, q quantity, t time, y bytes, a anything, `{` and a type a mapping,
`[` and a type a list, with `~` a set, with `^` and its keys a map; a number is a definition.
"""
import json
import pathlib
import subprocess
import sys
import tempfile
import zlib

HERE = pathlib.Path(__file__).parent
OUTPUT = HERE / "../../src/api/schema/definitions.z"
VERSIONS = ["1.28.15", "1.29.6", "1.30.14", "1.31.14", "1.32.13", "1.33.13", "1.34.4", "1.35.4", "1.36.3", "1.37.2"]

# Types that marshal themselves: their schemas say less than their code does.
OWN = {
    "io.k8s.apimachinery.pkg.util.intstr.IntOrString": "x",
    "io.k8s.apimachinery.pkg.api.resource.Quantity": "q",
    "io.k8s.apimachinery.pkg.apis.meta.v1.Time": "t",
    "io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime": "t",
    "io.k8s.apimachinery.pkg.apis.meta.v1.Duration": "s",
}

# Fields that the definitions call optional and without which validation refuses every object (pkg/apis/*/validation).
DUE = {
    ("io.k8s.api.batch.v1.JobTemplateSpec", "spec"),
    ("io.k8s.api.core.v1.PersistentVolume", "spec"),
    ("io.k8s.api.core.v1.PersistentVolumeClaim", "spec"),
    ("io.k8s.api.core.v1.Pod", "spec"),
    ("io.k8s.api.core.v1.PodTemplateSpec", "spec"),
    ("io.k8s.api.core.v1.Service", "spec"),
    ("io.k8s.api.networking.v1.Ingress", "spec"),
    ("io.k8s.api.networking.v1.IngressClass", "spec"),
    ("io.k8s.api.networking.v1.IngressClassSpec", "controller"),
}

# What every group has beside its kinds.
COMMON = {"APIGroup", "APIGroupList", "APIResourceList", "APIVersions", "InternalEvent", "Status", "WatchEvent"}

# Removed before the oldest version here, and gone from its module: kubernetes.io, "Deprecated API Migration Guide", and the
# changelogs of 1.16 to 1.25. Version, kind, removed, replacement.
GONE = [
    ("policy/v1beta1", "PodSecurityPolicy", "1.11", "1.21", "1.25", "-"),
    ("extensions/v1beta1", "PodSecurityPolicy", "1.3", "1.11", "1.16", "-"),
    ("settings.k8s.io/v1alpha1", "PodPreset", "1.6", "1.19", "1.20", "-"),
    ("batch/v2alpha1", "CronJob", "1.5", "1.8", "1.21", "batch/v1 CronJob"),
    ("auditregistration.k8s.io/v1alpha1", "AuditSink", "1.13", "1.18", "1.19", "-"),
    ("autoscaling/v2beta1", "HorizontalPodAutoscaler", "1.8", "1.22", "1.25", "autoscaling/v2 HorizontalPodAutoscaler"),
    ("autoscaling/v2beta2", "HorizontalPodAutoscaler", "1.12", "1.23", "1.26", "autoscaling/v2 HorizontalPodAutoscaler"),
    ("flowcontrol.apiserver.k8s.io/v1alpha1", "FlowSchema", "1.18", "1.20", "1.21", "flowcontrol.apiserver.k8s.io/v1 FlowSchema"),
    ("flowcontrol.apiserver.k8s.io/v1alpha1", "PriorityLevelConfiguration", "1.18", "1.20", "1.21", "flowcontrol.apiserver.k8s.io/v1 PriorityLevelConfiguration"),
    ("node.k8s.io/v1alpha1", "RuntimeClass", "1.12", "1.20", "1.22", "node.k8s.io/v1 RuntimeClass"),
    ("discovery.k8s.io/v1alpha1", "EndpointSlice", "1.16", "1.17", "1.21", "discovery.k8s.io/v1 EndpointSlice"),
    ("storage.k8s.io/v1alpha1", "CSIStorageCapacity", "1.19", "1.21", "1.24", "storage.k8s.io/v1 CSIStorageCapacity"),
    ("networking.k8s.io/v1alpha1", "ClusterCIDR", "1.25", "1.28", "1.31", "-"),
    ("extensions/v1beta1", "ThirdPartyResource", "1.2", "1.7", "1.8", "apiextensions.k8s.io/v1 CustomResourceDefinition"),
    ("apiextensions.k8s.io/v1beta1", "CustomResourceDefinition", "1.7", "1.16", "1.22", "apiextensions.k8s.io/v1 CustomResourceDefinition"),
    ("apiregistration.k8s.io/v1beta1", "APIService", "1.7", "1.19", "1.22", "apiregistration.k8s.io/v1 APIService"),
]


def dump(version, folder):
    path = folder / (version.rsplit(".", 1)[0] + ".json")
    if not path.exists() or not path.stat().st_size:
        path.write_bytes(subprocess.run([HERE / "dump.sh", version], check=True, stdout=subprocess.PIPE).stdout)
    return json.loads(path.read_text())


def dotted(name):
    """io.k8s.api.core.v1.Pod of k8s.io/api/core/v1.Pod, as older versions call it."""
    host, slash, rest = name.partition("/")
    return ".".join(reversed(host.split("."))) + "." + rest.replace("/", ".") if slash else name


def referred(schema):
    return dotted(schema["$ref"].removeprefix("#/definitions/").replace("~1", "/"))


class Definitions:
    """The definitions of all versions, by number, with their bodies."""

    def __init__(self, optional):
        self.numbers, self.bodies, self.runs, self.optional = {}, {}, [], optional

    def number(self, name):
        if name not in self.numbers:
            self.numbers[name] = len(self.runs)
            self.runs.append({})
        return self.numbers[name]

    def add(self, name, minor, definitions, is_kind):
        number = self.number(name)
        if minor in self.runs[number]:
            return number
        self.runs[number][minor] = -1
        fields = []
        required = definitions[name].get("required", [])
        for field, schema in sorted(definitions[name].get("properties", {}).items()):
            # What only controllers write is not judged.
            kind = "a" if is_kind and field == "status" else self.type(schema, minor, definitions)
            # Only what has been stable is compared with what the API server takes; betas are left lenient.
            is_stable = name.split(".")[-2] in ("v1", "v2")
            is_required = field in required and not default(schema) and (name, field) not in self.optional
            is_due = is_stable and is_required or (name, field) in DUE
            fields.append(field + ("!" if is_due else "") + ":" + kind + values(schema, definitions) + default(schema))
        self.runs[number][minor] = self.bodies.setdefault(";".join(fields), len(self.bodies))
        return number

    def type(self, schema, minor, definitions):
        schema = flat(schema)
        if "$ref" in schema:
            name = referred(schema)
            to = definitions[name]
            if name in OWN:
                return OWN[name]
            if to.get("properties"):
                is_kind = {"metadata", "status"} <= to["properties"].keys()
                return str(self.add(name, minor, definitions, is_kind))
            # An object without fields holds anything (RawExtension, FieldsV1, JSON).
            is_open = to.get("type", "object") == "object" and "additionalProperties" not in to
            return "a" if is_open else self.type(to, minor, definitions)
        match schema.get("type"):
            case "array":
                kind = "[" + self.type(schema["items"], minor, definitions)
                match schema.get("x-kubernetes-list-type"):
                    case "set":
                        return kind + "~"
                    case "map":
                        return kind + "^" + ",".join(schema["x-kubernetes-list-map-keys"])
                return kind
            case "object" if "additionalProperties" in schema:
                return "{" + self.type(schema["additionalProperties"], minor, definitions)
            case "string":
                return {"byte": "y", "date-time": "t"}.get(schema.get("format"), "s")
            case "integer":
                return {"int32": "i", "int64": "l"}[schema["format"]]
            case "number":
                return "n"
            case "boolean":
                return "b"
        return "a"


def flat(schema):
    """A reference with a default is written as one of `allOf` or beside it."""
    return schema["allOf"][0] if "allOf" in schema else schema


def values(schema, definitions):
    schema = schema.get("items", schema)
    if "$ref" in flat(schema):
        schema = definitions[referred(flat(schema))]
    # Nothing is the default of many.
    words = [it for it in schema.get("enum", []) if it]
    assert all(isinstance(it, str) and not set(it) & set(";=|,\n") for it in words), words
    return "|" + ",".join(words) if words else ""


def default(schema):
    value = schema.get("default")
    if isinstance(value, bool):
        return "=" + json.dumps(value)
    is_plain = isinstance(value, (str, int)) and not set(str(value)) & set(";\n")
    return f"={value}" if is_plain and value not in ("", 0) else ""


def main():
    optional = {tuple(it.split()) for it in (HERE / "optional.txt").read_text().splitlines() if not it.startswith("#")}
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else temporary)
        dumps = [(int(it.split(".")[1]), dump(it, folder)) for it in VERSIONS]
    definitions, kinds = Definitions(optional), {}
    for minor, it in dumps:
        named = {dotted(name): schema for name, schema in it["definitions"].items()}
        for kind in it["kinds"]:
            name = kind["kind"]
            if name in COMMON or name.endswith(("Options", "List")):
                continue
            definition = dotted(kind["definition"])
            number = definitions.add(definition, minor, named, True) if definition in named else "-"
            versions = kinds.get((kind["apiVersion"], name), ([minor],))[0]
            life = [kind.get(it) or "-" for it in ("introduced", "deprecated", "removed", "replacement")]
            kinds[kind["apiVersion"], name] = ([versions[0], minor], number, *life)
    for api_version, kind, *life in GONE:
        if (api_version, kind) not in kinds:
            kinds[api_version, kind] = ([0, 0], "-", *life)
    lines = [f"versions {dumps[0][0]} {dumps[-1][0]}"]
    lines += ["D " + " ".join(runs(it, dumps)) for it in definitions.runs]
    lines += ["B " + it for it in definitions.bodies]
    for (api_version, kind), (versions, number, *life) in sorted(kinds.items()):
        lines.append(f"K {api_version} {kind} {versions[0]} {versions[-1]} {number} {' '.join(life)}")
    text = "\n".join(lines) + "\n"
    compressed = zlib.compress(text.encode(), 9)
    OUTPUT.write_bytes(compressed)
    if len(sys.argv) > 2:
        pathlib.Path(sys.argv[2]).write_text(text)
    print(f"{len(kinds)} kinds, {len(definitions.runs)} definitions, {len(definitions.bodies)} bodies, "
          f"{len(text)} bytes, {len(compressed)} compressed", file=sys.stderr)


def runs(bodies, dumps):
    """Where the body of a definition changes."""
    last = None
    for minor, _ in dumps:
        body = bodies.get(minor, "-")
        if body != last:
            yield f"{minor}:{body}"
        last = body


if __name__ == "__main__":
    main()
