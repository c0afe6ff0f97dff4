"""Worlds and answers, one JSON line a world, compressed: answers.py FOLDER FILE."""
import gzip, json, os, sys

folder, target = sys.argv[1:]
seed = lambda path: int(os.path.basename(path).split(".")[0])
read = lambda name: {seed(it["path"]): it for it in map(json.loads, open(f"{folder}/{name}.jsonl"))}
filters, searches = read("filters"), read("search")
lines = []
for number in sorted(filters):
    with open(f"{folder}/{number}.yaml") as file:
        objects = [json.loads(it) for it in file.read().split("---\n") if it.strip()]
    refused = {it["pod"]: {node: sorted(why) for node, why in it["nodes"].items()} for it in filters[number]["answer"]}
    found = searches[number]["answer"]
    line = {"seed": number, "objects": objects, "refused": refused, "feasible": found["Feasible"], "complete": found["Complete"]}
    lines.append(json.dumps(line, separators=(",", ":")))
with open(target, "wb") as file, gzip.GzipFile(fileobj=file, mode="wb", mtime=0, compresslevel=9, filename="") as out:
    out.write(("\n".join(lines) + "\n").encode())
