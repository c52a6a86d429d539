package main

import _ "embed" // for the example below

// exampleConfig is config.example.yaml from the top of the project, which an embed cannot reach; a test holds the two
// equal, and go generate copies it anew.
//
//go:generate cp ../../config.example.yaml config.example.yaml
//go:embed config.example.yaml
var exampleConfig string
