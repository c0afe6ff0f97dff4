"""Worlds and answers, one JSON line a world, compressed: resource_answers.py FOLDER FILE."""
import gzip, json, os, sys

folder, target = sys.argv[1:]
lines = {}
for line in map(json.loads, open(f"{folder}/resources.jsonl")):
    number = int(os.path.basename(line["path"]).split(".")[0])
    with open(f"{folder}/{number}.yaml") as file:
        objects = [json.loads(it) for it in file.read().split("---\n") if it.strip()]
    lines[number] = json.dumps({"seed": number, "objects": objects, **line["answer"]}, separators=(",", ":"))
with open(target, "wb") as file, gzip.GzipFile(fileobj=file, mode="wb", mtime=0, compresslevel=9, filename="") as out:
    out.write(("\n".join(lines[it] for it in sorted(lines)) + "\n").encode())
