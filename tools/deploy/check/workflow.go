package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/rhysd/actionlint"
)

// checkWorkflow checks syntax, expressions, types of values, and what is known of popular actions.
func checkWorkflow(name string) error {
	linter, err := actionlint.NewLinter(io.Discard, &actionlint.LinterOptions{})
	if err != nil {
		return err
	}
	found, err := linter.LintFile(name, nil)
	errs := []error{err}
	for _, e := range found {
		errs = append(errs, fmt.Errorf("%d: %s (%s)", e.Line, e.Message, e.Kind))
	}
	return errors.Join(errs...)
}
