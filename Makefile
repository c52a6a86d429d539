# What a newcomer needs is in README.md; `make help` lists the rest.
GO ?= go

.PHONY: help build run test check fuzz bench golden generate

help: ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

build: ## bin/topicwire
	$(GO) build -trimpath -o bin/topicwire ./cmd/topicwire

run: build ## the daemon, on config.yaml or the built-in example
	bin/topicwire run

test: ## all tests, with the race detector
	.ci/test

check: ## formatting, vet, staticcheck
	.ci/check

FUZZTIME ?= 30s
fuzz: ## each fuzz target for FUZZTIME
	@set -e; for pkg in $$($(GO) list ./...); do \
		for target in $$($(GO) test -list '^Fuzz' $$pkg | grep '^Fuzz' || true); do \
			echo "$$pkg $$target"; $(GO) test -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZTIME) $$pkg; \
		done; \
	done

bench: ## the whole program beside a bare HTTP client, on one origin in one run
	$(GO) test -run '^$$' -bench '^BenchmarkPass' -benchtime 5x -timeout 30m ./cmd/topicwire
	$(GO) test -run '^$$' -bench '^BenchmarkMillion' -benchtime 1x -timeout 30m ./cmd/topicwire

golden: ## rewrite the golden files; look at the difference before you commit it
	$(GO) test ./aggregator/... -update

generate: ## copy config.example.yaml to where it is built in
	$(GO) generate ./...
