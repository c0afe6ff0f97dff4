#!/usr/bin/env python3
"""Writes mutants of manifests, each with one mistake: mutate.py DOCUMENTS SEED COUNT FOLDER

DOCUMENTS holds one manifest a line, as JSON; each mutant becomes a file in FOLDER. One kind is taken as often as another.
"""
import copy
import json
import pathlib
import random
import sys

NUMBERS = [-1, 0, 1, 101, 65535, 65536, 99999, 2**31, 2**40, 1.5]
VALUES = [True, 7, "text", [], {}, ["x"], {"x": "y"}, 1.5, "7", "true"]
EMPTY = ["", [], {}, 0]
VERSIONS = ["v1", "apps/v1", "apps/v1beta1", "batch/v1", "batch/v1beta1", "policy/v1beta1", "policy/v1",
            "networking.k8s.io/v1beta1", "autoscaling/v1", "extensions/v1beta1"]
# Their names are made of other fields.
NAMED = {"CustomResourceDefinition", "APIService", "Namespace", "IPAddress"}


def spots(node, path=()):
    yield path, node
    below = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in below:
        yield from spots(value, path + (key,))


def at(node, path):
    for step in path:
        node = node[step]
    return node


def renamed(chance, key):
    where = chance.randrange(len(key)) if key else 0
    new = chance.choice([key + "s", key[:where] + key[where + 1:], key[:1].upper() + key[1:], key.lower(),
                         key[:where] + "x" + key[where:]])
    return new if new != key else key + "z"


def words(word):
    return [word.lower(), word.upper(), word + "x", "x" + word, word + "_", word + " ", "-" + word, "a b", word * 30,
            word[:-1], "A", "Other", "a.b"]


def mutant(chance, document):
    document = copy.deepcopy(document)
    change = chance.choice(["rename", "retype", "remove", "range", "word", "null", "double", "version", "empty"])
    if change == "version":
        document["apiVersion"] = chance.choice(VERSIONS)
        return document
    fits = {
        "range": lambda path, value: isinstance(value, (int, float)) and not isinstance(value, bool),
        "word": lambda path, value: isinstance(value, str),
        "rename": lambda path, value: isinstance(path[-1], str),
        "double": lambda path, value: isinstance(path[-1], int),
    }.get(change, lambda path, value: True)
    all_spots = [(path, value) for path, value in spots(document)
                 if path and path[0] != "status" and path != ("kind",) and fits(path, value)]
    if not all_spots:
        return mutant(chance, document)
    path, value = chance.choice(all_spots)
    parent, key = at(document, path[:-1]), path[-1]
    match change:
        case "rename":
            del parent[key]
            parent[renamed(chance, key)] = value
        case "retype":
            parent[key] = chance.choice(VALUES)
        case "remove":
            del parent[key]
        case "range":
            parent[key] = chance.choice(NUMBERS)
        case "word":
            parent[key] = chance.choice(words(value))
        case "null":
            parent[key] = None
        case "double":
            parent.append(copy.deepcopy(value))
        case "empty":
            parent[key] = chance.choice(EMPTY)
    return document


def main():
    source, seed, count, folder = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), pathlib.Path(sys.argv[4])
    documents = [json.loads(line) for line in open(source)]
    by_kind = {}
    for it in documents:
        by_kind.setdefault((it["apiVersion"], it["kind"]), []).append(it)
    chance, kinds = random.Random(seed), sorted(by_kind)
    folder.mkdir(parents=True, exist_ok=True)
    number = 0
    while number < count:
        of_kind = by_kind[chance.choice(kinds)] if chance.random() < 0.5 else documents
        it = mutant(chance, chance.choice(of_kind))
        if not isinstance(it.get("apiVersion"), str) or not isinstance(it.get("kind"), str):
            continue
        metadata = it.get("metadata")
        # Objects of one name would replace each other.
        if isinstance(metadata, dict) and isinstance(metadata.get("name"), str) and it["kind"] not in NAMED:
            if len(metadata["name"]) < 20 and metadata["name"][-1:].isalnum():
                metadata["name"] += f"-{number}"
        (folder / f"{number:05}.yaml").write_text(json.dumps(it) + "\n")
        number += 1


if __name__ == "__main__":
    main()
