# What a newcomer needs is in README.md; `make help` lists the rest.
GO ?= go

.PHONY: help build run test check fuzz bench bench-parse bench-serve bench-store bench-topics golden generate

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

BENCHTIME ?= 3s
bench: ## the whole program beside a bare HTTP client, on one origin in one run
	$(GO) test -run '^$$' -bench '^BenchmarkPass/new' -benchtime 5x -timeout 30m ./cmd/topicwire
	$(GO) test -run '^$$' -bench '^BenchmarkPass/304' -benchtime 20x -timeout 30m ./cmd/topicwire
	$(GO) test -run '^$$' -bench '^BenchmarkMillion' -benchtime 1x -timeout 30m ./cmd/topicwire

bench-parse: ## the parser beside gofeed alone, feed by feed in one run; the captured feeds have to be there
	$(GO) test -run '^$$' -bench '^BenchmarkParse$$' -benchtime $(BENCHTIME) ./aggregator/parse

SERVE_ITEMS ?= 1000000
SERVE_TOPICS ?= 10000
bench-serve: ## a kept feed beside net/http sending the same bytes; many topics within the bound of memory
	$(GO) test -run '^$$' -bench '^BenchmarkServe$$' -benchtime 20x -timeout 30m ./cmd/topicwire
	$(GO) test -run '^$$' -bench '^BenchmarkManyTopics$$' -benchtime 1x -timeout 2h ./cmd/topicwire \
		-serve-items $(SERVE_ITEMS) -serve-topics $(SERVE_TOPICS)

STORE_ITEMS ?= 100000,1000000
bench-store: ## the store beside the plainest bbolt writer; rewrites the table in docs/store.md
	$(GO) test -run '^TestBenchStore$$' -v -timeout 12h ./storage/bolt -store-items $(STORE_ITEMS) -store-table $(CURDIR)/docs/store.md

bench-topics: ## the matcher with 10 to 10,000 topics, and the packs beside one topic
	$(GO) test -run '^$$' -bench '^Benchmark(Matcher|Packs)$$' -benchtime 1000x ./aggregator/topic ./aggregator/topic/pack

golden: ## rewrite the golden files; look at the difference before you commit it
	$(GO) test $$(grep -rl --include='*_test.go' 'flag.Bool("update"' . | xargs -n 1 dirname | sort -u) -update

generate: ## copy config.example.yaml to where it is built in
	$(GO) generate ./...
