"""Reads the reports of a purlin with parsers that are not ours, and compares them with its JSON report; holds its documents
to the JSON Schemas that it prints.

Usage: check.py PURLIN SARIF_VALIDATOR

PURLIN is the program; SARIF_VALIDATOR is Microsoft's Sarif.Multitool, or "" to leave it out.
"""

import html.parser
import json
import pathlib
import re
import subprocess
import sys
import tempfile

import jsonschema
import junitparser
import markdown_it
import yaml

PURLIN = pathlib.Path(sys.argv[1]).resolve()
VALIDATOR = sys.argv[2]
ROOT = pathlib.Path(__file__).resolve().parents[2]

# What the validator recommends and we decided against: message ids, rule numbers, embedded source lines (they may hold
# secrets), lines where nobody wrote one (of what was rendered), and pages on the web as long as Cargo.toml names no home.
DECIDED = {"SARIF2002", "SARIF2003", "SARIF2005", "SARIF2006", "SARIF2009", "SARIF2010", "SARIF2011", "SARIF2012", "SARIF2017"}

AWKWARD = {
    "a b/ü, 100%:x.yaml": """
apiVersion: apps/v1
kind: Deployment
metadata: {name: "a|b`c<i>&amp;*d*_e_[f](g)\\\\|~~h~~ $i$ \\u0001 \\u001b[31m", namespace: "x|y"}
spec:
  replicas: 2
  selector: {matchLabels: {app: "p|q"}}
  template:
    metadata: {labels: {app: "p|q"}}
    spec: {containers: [{name: "c|`", image: "registry.example/api:1"}]}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: "<script>alert(1)</script>|\\n## head\\r\\n| x | y |", namespace: "x|y"}
spec: {minAvailable: 2, selector: {matchLabels: {app: "p|q"}}}
""",
    "broken.yaml": "apiVersion: v1\nkind: Secret\nmetadata: {name: [}\n",
}


def check(folder, output_format, paths):
    args = [PURLIN, "check", "--fail-on", "never", "--format", output_format, *paths]
    run = subprocess.run(args, cwd=folder, capture_output=True, check=False)
    assert run.returncode == 0, (args, run.stderr)
    return run.stdout.decode()


def words(text):
    """A text without its backticks and with single spaces: what is left of it on a page."""
    return re.sub(r"\s+", " ", text.replace("`", "")).strip()


class Table(html.parser.HTMLParser):
    """The texts of the cells of the first table, row by row, and every element that was seen."""

    def __init__(self):
        super().__init__()
        self.rows, self.seen, self.cell = [], set(), None

    def handle_starttag(self, tag, attrs):
        self.seen.add(tag)
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.cell = []
        elif tag == "br" and self.cell is not None:
            self.cell.append("\n")

    def handle_endtag(self, tag):
        if tag in ("td", "th"):
            self.rows[-1].append("".join(self.cell))
            self.cell = None

    def handle_data(self, data):
        if self.cell is not None:
            self.cell.append(data)


def markdown(text, report):
    renderer = markdown_it.MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    table = Table()
    table.feed(renderer.render(text))
    ours = {"h2", "p", "table", "thead", "tbody", "tr", "th", "td", "br", "code", "details", "summary", "ul", "li"}
    assert table.seen <= ours, table.seen - ours
    rows = table.rows[1:]
    # A summary that a code host takes holds a megabyte: what there is no room for is counted below the table.
    left = len(report["findings"]) - len(rows)
    assert left == 0 or left > 0 and len(text) > 800_000 and str(left) in text, (len(rows), len(report["findings"]))
    # The worst come first, else in the order of the places.
    findings = sorted(report["findings"], key=lambda it: ["error", "warning", "note"].index(it["severity"]))
    for row, finding in zip(rows, findings):
        severity, rule, message, places = row
        assert (severity, rule) == (finding["severity"], finding["rule"]), row
        assert words(message.split("\n")[0]) == words(finding["message"]), (message, finding["message"])
        for note in finding["notes"]:
            assert words(note) in words(message), (note, message)
        assert places.startswith(finding["labels"][0]["file"]), (places, finding["labels"][0])
    return len(rows)


def junit(text, report, folder):
    path = pathlib.Path(folder) / "report.xml"
    path.write_text(text)
    suites = junitparser.JUnitXml.fromfile(str(path))
    cases = [case for suite in suites for case in suite]
    failed = [case for case in cases if not case.is_passed]
    assert suites.failures == len(failed) == len(report["findings"]), (suites.failures, len(failed))
    assert len(cases) >= report["summary"]["rulesRun"]
    # XML cannot hold control characters; there are pictures in place of them.
    held = lambda text: words(re.sub("[\x00-\x1f\u2400-\u2421 ]+", " ", text))
    messages = sorted(held(case.result[0].message) for case in failed)
    assert messages == sorted(held(it["message"]) for it in report["findings"])
    return len(failed)


def sarif(text, report, folder):
    results = json.loads(text)["runs"][0]["results"]
    assert len(results) == len(report["findings"])
    if not VALIDATOR:
        return len(results)
    path, found = pathlib.Path(folder) / "report.sarif", pathlib.Path(folder) / "found.sarif"
    path.write_text(text)
    levels = ["--level", "Error;Warning;Note", "--rule-kind", "Sarif;Ghas"]
    args = [VALIDATOR, "validate", path, *levels, "--output", found, "--log", "ForceOverwrite"]
    run = subprocess.run(args, capture_output=True, check=False)
    assert run.returncode == 0, run.stdout
    for it in json.loads(found.read_text())["runs"][0]["results"]:
        assert it["ruleId"] in DECIDED and it.get("level") != "error", it
    return len(results)


# What both schemas refuse, and so does purlin.
REFUSED = {
    "architecture": [
        "component: {}",
        "components: {api: {workload: Deployment/shop/api, replica: 3}}",
        "components: {api: {workload: Pod/shop/api}}",
        "components: {api: {workload: Deployment/shop/api, replicas: {min: 1, maximum: 3}}}",
        "components: {api: {workload: Deployment/shop/api, scaling: {cpu: 0.7}}}",
        "objectives: [{recovery: 2 minutes}]",
        "flows: {api: [{ports: [5432]}]}",
        "mode: {flows: audit}",
    ],
    "policy": ["rulez: {}", "targets: [{name: a}]", "admission: {mode: deny}"],
}


def schemas():
    """The schemas that editors complete and check documents by, with another reader of YAML and another validator."""
    for name, refused in REFUSED.items():
        printed = subprocess.run([PURLIN, "schema", name], capture_output=True, check=True).stdout
        schema = json.loads(printed)
        validator = jsonschema.validators.validator_for(schema)
        validator.check_schema(schema)
        head = f"apiVersion: purlin.dev/v1alpha1\nkind: {name.capitalize()}\n"
        documents = []
        if name == "architecture":
            documents = sorted(ROOT.glob("fixtures/systems/*/architecture/*.yaml"))
            documents = [it for it in documents if it.name in ("as-documented.yaml", "repaired.yaml")]
            assert len(documents) == 10, documents
        for path in documents:
            for document in yaml.load_all(path.read_text(), Loader=Loader):
                errors = [it.message for it in validator(schema).iter_errors(document)]
                assert not errors, (path, errors)
        validator(schema).validate(yaml.safe_load(head))
        for text in refused:
            assert not validator(schema).is_valid(yaml.safe_load(head + text)), text
        print(f"{name}: {len(documents)} documents keep its schema, {len(refused)} do not")


class Loader(yaml.SafeLoader):
    """YAML 1.2 has no dates."""


Loader.yaml_implicit_resolvers = {
    first: [it for it in all if it[0] != "tag:yaml.org,2002:timestamp"]
    for first, all in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def main():
    schemas()
    inputs = [(ROOT, [f"fixtures/systems/{it.name}"]) for it in sorted((ROOT / "fixtures/systems").iterdir())]
    inputs.append((ROOT, ["fixtures/rules"]))
    with tempfile.TemporaryDirectory() as awkward, tempfile.TemporaryDirectory() as scratch:
        for name, text in AWKWARD.items():
            path = pathlib.Path(awkward) / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
        inputs.append((awkward, ["."]))
        for folder, paths in inputs:
            report = json.loads(check(folder, "json", paths))
            assert report["findings"], paths
            counts = (
                markdown(check(folder, "markdown", paths), report),
                junit(check(folder, "junit", paths), report, scratch),
                sarif(check(folder, "sarif", paths), report, scratch),
            )
            print(f"{paths[0]}: Markdown, JUnit and SARIF agree with JSON on {counts[0]} findings")


main()
