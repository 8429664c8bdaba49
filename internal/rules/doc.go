// Package rules holds no code, only the tests that keep the house in order: who may import whom, what the engine's core
// may not use, what tests in synctest bubbles may not share, and that the documents name tests, libraries and files that
// exist. docs/architecture.md explains the rooms; rooms_test.go is the same table for the machine.
package rules
