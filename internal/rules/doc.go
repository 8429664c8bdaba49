// Package rules contains only tests, which enforce the architecture: which package may import which, what the engine's core
// must not use, what tests in synctest bubbles must not share, and that the documents name tests, libraries and files that
// exist. docs/architecture.md explains the packages; table_test.go has the same table in code.
package rules
