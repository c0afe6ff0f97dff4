"""Random small namespaces: workloads, autoscalers, LimitRanges, quotas, budgets, and nodes with pods on them. Seeded; one file a world."""
import json, os, random, sys

CPU = ["100m", "0.1", "250m", "1", "1500m", "2", "0.5", "1.5m", "33m", "1e-1", "2e0", "0"]
MEMORY = ["64Mi", "128Mi", "1Gi", "0.5Gi", "100M", "1e8", "1500k", "1.5Gi", "134217728", "256000Ki", "128974848000m"]
AMOUNTS = {"cpu": CPU, "memory": MEMORY, "ephemeral-storage": ["1Gi", "500Mi", "2G"], "nvidia.com/gpu": ["0", "1", "2"], "hugepages-2Mi": ["2Mi", "4Mi"]}
SUFFIXES = {"": 1, "m": 1e-3, "k": 1e3, "M": 1e6, "G": 1e9, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30}
LINES = {"requests.cpu": "4", "cpu": "8", "limits.cpu": "8", "requests.memory": "4Gi", "memory": "8Gi", "limits.memory": "8Gi", "pods": "10", "requests.ephemeral-storage": "4Gi", "limits.ephemeral-storage": "8Gi", "requests.nvidia.com/gpu": "4", "requests.hugepages-2Mi": "16Mi", "count/pods": "12"}
BOUNDS = [0, 1, 2, 3, "0%", "1%", "10%", "25%", "34%", "50%", "51%", "67%", "99%", "100%"]

def value(text):
    number = text.rstrip("mkMGi" if "e" not in text else "").rstrip("K")
    return float(number) * SUFFIXES[text[len(number):]]

def resources(r, p):
    names = ["cpu", "memory"] + [it for it, q in (("ephemeral-storage", .2), ("nvidia.com/gpu", .1), ("hugepages-2Mi", .05)) if r.random() < q]
    parts = {part: {it: r.choice(AMOUNTS[it]) for it in names if r.random() < p} for part in ("requests", "limits")}
    requests, limits = parts["requests"], parts["limits"]
    for it in names if r.random() < .95 else []:
        a, b = requests.get(it), limits.get(it)
        if it.startswith(("nvidia", "hugepages")):
            if a or b: requests[it] = limits[it] = a or b
        elif a and b and value(a) > value(b): requests[it], limits[it] = b, a
    return {part: got for part, got in parts.items() if got or r.random() < .1}

def container(r, name, p):
    return {"name": name, "image": "registry.example/app:1.0.0", **({"resources": resources(r, p)} if r.random() < .85 else {})}

def podspec(r, p):
    spec = {"containers": [container(r, f"c{i}", p) for i in range(r.choice([1, 1, 2, 3]))]}
    inits = [{**container(r, f"i{i}", p), **({"restartPolicy": "Always"} if r.random() < .5 else {})} for i in range(r.choice([0, 0, 1, 2, 3]))]
    if inits: spec["initContainers"] = inits
    if r.random() < .2:
        own = {part: {it: r.choice(AMOUNTS[it] if r.random() < .5 else {"cpu": ["4", "8"], "memory": ["8Gi"]}[it]) for it in ("cpu", "memory") if r.random() < .6} for part in ("requests", "limits")}
        own = {part: got for part, got in own.items() if got}
        if own: spec["resources"] = own
    if r.random() < .1: spec["runtimeClassName"] = "kata"
    if r.random() < .15: spec["priorityClassName"] = "high"
    return spec

def workload(r, name, p):
    kind = r.choice(["Deployment"] * 4 + ["StatefulSet", "ReplicaSet", "Job", "Pod", "DaemonSet", "ReplicationController"])
    labels = {"app": name, "tier": r.choice("ab"), **({"shared": "yes"} if r.random() < .2 else {})}
    template = {"metadata": {"labels": labels}, "spec": podspec(r, p)}
    versions = {"Job": "batch/v1", "Pod": "v1", "ReplicationController": "v1"}
    it = {"apiVersion": versions.get(kind, "apps/v1"), "kind": kind, "metadata": {"name": name, "namespace": "shop"}}
    if kind == "Pod":
        it["metadata"]["labels"], it["spec"] = labels, template["spec"]
        return it, labels
    if kind == "Job":
        template["spec"]["restartPolicy"] = "Never"
        if r.random() < .2: template["spec"]["activeDeadlineSeconds"] = 100
        it["spec"] = {"template": template}
        if r.random() < .5: it["spec"] |= {"parallelism": r.choice([1, 2, 3]), "completions": r.choice([3, 5])}
        return it, labels
    it["spec"] = {"selector": {"app": name} if kind == "ReplicationController" else {"matchLabels": {"app": name}}, "template": template}
    if kind != "DaemonSet" and r.random() < .7: it["spec"]["replicas"] = r.choice([0, 1, 2, 3, 4, 5, 7, 10])
    if kind == "StatefulSet": it["spec"]["serviceName"] = name
    rolling = {field: r.choice(BOUNDS) for field in ("maxSurge", "maxUnavailable") if r.random() < .8}
    if kind == "DaemonSet" and len(rolling) == 2: rolling[r.choice(["maxSurge", "maxUnavailable"])] = 0
    if kind in ("Deployment", "DaemonSet") and r.random() < .85:
        strategy = {"type": "RollingUpdate", **({"rollingUpdate": rolling} if rolling else {})}
        if kind == "Deployment" and r.random() < .1: strategy = {"type": "Recreate"}
        it["spec"]["strategy" if kind == "Deployment" else "updateStrategy"] = strategy
    return it, labels

def autoscaler(r, it):
    target = {field: it[field] for field in ("apiVersion", "kind")} | {"name": it["metadata"]["name"]}
    spec = {"scaleTargetRef": target, "maxReplicas": r.choice([3, 5, 6, 9, 11]), **({"minReplicas": r.choice([1, 2, 3])} if r.random() < .7 else {})}
    return {"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {"name": target["name"], "namespace": "shop"}, "spec": spec}

def limit_range(r):
    limits = []
    for kind in r.choice([["Container"], ["Container"], ["Pod"], ["Container", "Pod"]]):
        item = {"type": kind}
        for field in ("min", "max", "maxLimitRequestRatio") + (() if kind == "Pod" else ("default", "defaultRequest")):
            amounts = {it: r.choice(["1", "2", "1.5", "10"] if field == "maxLimitRequestRatio" else AMOUNTS[it]) for it in ("cpu", "memory") if r.random() < .6}
            if amounts and r.random() < .3: item[field] = amounts
        limits.append(item)
    return {"apiVersion": "v1", "kind": "LimitRange", "metadata": {"name": "range", "namespace": "shop"}, "spec": {"limits": limits}}

def quota(r, name):
    spec = {"hard": {it: hard for it, hard in LINES.items() if r.random() < .5} or {"pods": "3"}}
    x = r.random()
    if x < .25: spec["hard"] = {it: hard for it, hard in spec["hard"].items() if it in ("requests.cpu", "cpu", "limits.cpu", "requests.memory", "memory", "limits.memory", "pods")} or {"pods": "3"}
    if x < .1: spec["scopes"] = [r.choice(["NotTerminating", "NotBestEffort", "Terminating"])]
    elif x < .15: spec = {"hard": {"pods": "3"}, "scopes": ["BestEffort"]}
    elif x < .25: spec["scopeSelector"] = {"matchExpressions": [{"scopeName": "PriorityClass", **r.choice([{"operator": "In", "values": ["high"]}, {"operator": "NotIn", "values": ["high"]}, {"operator": "Exists"}, {"operator": "DoesNotExist"}])}]}
    return {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": name, "namespace": "shop"}, "spec": spec}

def budget(r, name, of, labels):
    selector = r.choice([{"matchLabels": {"app": of}}, {"matchLabels": {"app": of}}, {"matchLabels": {"tier": labels["tier"]}}, {}, {"matchExpressions": [{"key": "shared", "operator": "Exists"}]}, {"matchExpressions": [{"key": "shared", "operator": "DoesNotExist"}]}, {"matchExpressions": [{"key": "app", "operator": "NotIn", "values": [of]}]}, {"matchLabels": {"app": of}, "matchExpressions": [{"key": "tier", "operator": "In", "values": ["a", "b"]}]}])
    bound = {r.choice(["minAvailable", "maxUnavailable"]): r.choice(BOUNDS)} if r.random() < .97 else {}
    return {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": name, "namespace": "shop"}, "spec": {"selector": selector, **bound}}

def on_node(r, number, nodes, daemons):
    """A pod that is there, in a namespace of its own so that it does not count for the others."""
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": f"there-{number}", "namespace": "there"}, "spec": {"nodeName": r.choice(nodes), "containers": [{"name": "c", "image": "registry.example/app:1.0.0"}]}, "status": {"phase": "Running"}}
    x = r.random()
    if x < .2: pod["metadata"]["ownerReferences"] = [{"apiVersion": "apps/v1", "kind": "DaemonSet", "name": daemons, "uid": "d", "controller": True}]
    elif x < .5: pod["metadata"]["ownerReferences"] = [{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "other", "uid": "s", "controller": True}]
    elif x < .6: pod["metadata"]["annotations"] = {"kubernetes.io/config.mirror": "x", "kubernetes.io/config.source": "file"}
    elif x < .7: pod["status"]["phase"] = r.choice(["Succeeded", "Failed"])
    elif x < .8: pod["metadata"] |= {"deletionTimestamp": "2026-01-01T00:00:00Z", "deletionGracePeriodSeconds": 30}
    elif x < .9: pod["spec"]["volumes"] = [{"name": "v", "emptyDir": {}}]
    return pod

def world(seed):
    r = random.Random(seed)
    p = r.choice([.3, .6, .9])
    out = [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": it}} for it in ("shop", "there")]
    nodes = [f"n{i}" for i in range(r.choice([1, 2, 3]))]
    for it in nodes:
        taints = [{"key": "dedicated", "value": "db", "effect": r.choice(["NoSchedule", "NoExecute", "PreferNoSchedule"])}] if r.random() < .2 else []
        out.append({"apiVersion": "v1", "kind": "Node", "metadata": {"name": it, "labels": {"kubernetes.io/hostname": it}}, "spec": {"taints": taints}, "status": {"allocatable": {"cpu": "64", "memory": "256Gi", "pods": "110"}}})
    made = [workload(r, f"w{i}", p) for i in range(r.choice([1, 2, 3]))]
    for it, _ in made:
        out.append(it)
        if it["kind"] in ("Deployment", "StatefulSet", "ReplicaSet") and r.random() < .5: out.append(autoscaler(r, it))
    if r.random() < .6: out.append(limit_range(r))
    out += [quota(r, f"q{i}") for i in range(r.choice([0, 1, 1, 2]))]
    for i in range(r.choice([0, 1, 2])):
        it, labels = r.choice(made)
        out.append(budget(r, f"b{i}", it["metadata"]["name"], labels))
    out.append({"apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": {"name": "agent", "namespace": "there"}, "spec": {"selector": {"matchLabels": {"app": "agent"}}, "template": {"metadata": {"labels": {"app": "agent"}}, "spec": {"containers": [{"name": "c", "image": "registry.example/app:1.0.0"}]}}}})
    out += [on_node(r, i, nodes, "agent") for i in range(r.choice([0, 2, 5]))]
    out.append({"apiVersion": "node.k8s.io/v1", "kind": "RuntimeClass", "metadata": {"name": "kata"}, "handler": "kata", "overhead": {"podFixed": {"cpu": "250m", "memory": "120Mi"}}})
    out.append({"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": {"name": "high"}, "value": 1000})
    return out

if __name__ == "__main__":
    folder, start, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    os.makedirs(folder, exist_ok=True)
    for seed in range(start, start + count):
        with open(f"{folder}/{seed}.yaml", "w") as file:
            for it in world(seed): file.write("---\n" + json.dumps(it) + "\n")
