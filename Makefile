PY = .venv/bin/python

.PHONY: help setup run test check fix data bench fuzz mutation answers lock sbom
help:  ## show this list
	@grep -E '^[a-z]+:.*##' Makefile | sed 's/:.*##/ -/'
setup:  ## create the environment
	python3 -m venv .venv && $(PY) -m pip install -q -r requirements.lock -e .
run: setup  ## check the example case and leave the service running
	$(PY) -m medsafe up
test:  ## run style, types, data check and tests (never writes)
	.ci/run
check:  ## style and types only
	$(PY) -m ruff format --check . && $(PY) -m ruff check . && $(PY) -m mypy
fix:  ## put the style right
	$(PY) -m ruff format . && $(PY) -m ruff check --fix .
data:  ## check formulary/ and interaction_data/
	$(PY) -m medsafe data check
bench:  ## measure the review and the HTTP throughput
	$(PY) -m medsafe bench
fuzz:  ## Schemathesis against a running service: make fuzz URL=http://127.0.0.1:8080 EXAMPLES=500
	python3 -m venv .venv-fuzz && .venv-fuzz/bin/pip install -q schemathesis==4.32.5
	.venv-fuzz/bin/schemathesis run $(URL)/openapi.json --max-examples $(or $(EXAMPLES),100) --seed 5 --continue-on-failure --checks not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,negative_data_rejection,positive_data_acceptance
mutation:  ## deliberate faults in the core, which the tests should find: make mutation PART=organ (see docs/mutation.md)
	$(PY) -m tests.bench.mutation $(or $(PART),organ) $(if $(SAMPLE),--sample $(SAMPLE))
answers:  ## keep anew what the checks say to the small requests of tests/recorded (read the difference)
	$(PY) -m tests.recorded.answers
lock:  ## write the lock file from the environment
	$(PY) -m pip freeze --exclude-editable > requirements.lock
sbom:  ## write the software bill of materials from the lock file
	python3 -m venv .venv-sbom && .venv-sbom/bin/pip install -q cyclonedx-bom==7.5.0
	.venv-sbom/bin/cyclonedx-py requirements --output-reproducible --spec-version 1.6 requirements.lock > .venv-sbom/bom.json
	$(PY) -c "import json,sys; b=json.load(open('.venv-sbom/bom.json')); [c.pop(k,None) for c in b['components'] for k in ('externalReferences','description')]; json.dump(b,open('docs/deploy/sbom.json','w'),indent=1,sort_keys=True)"
	rm -rf .venv-sbom
