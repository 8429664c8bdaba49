package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"gazpacho/scaling/remote"
)

const (
	drainAbout = `Usage: gazpacho drain [OPTION…] NODE

Has a node take no new applications and no new transports, and end when no transport is left or after its --drain-time, as SIGTERM
does. Any node of its cluster can be asked.`
	undrainAbout = `Usage: gazpacho undrain [OPTION…] NODE

Has a node that drains take new transports again.`
)

// runDrain is the command "drain".
func runDrain(args []string, stdout, _ io.Writer) error {
	return order("drain", drainAbout, true, args, stdout)
}

// runUndrain is the command "undrain".
func runUndrain(args []string, stdout, _ io.Writer) error {
	return order("undrain", undrainAbout, false, args, stdout)
}

func order(name, about string, drain bool, args []string, stdout io.Writer) error {
	s := newSettings(name, about)
	var a access
	a.define(s)
	rest, err := s.parse(args, stdout)
	switch {
	case err != nil:
		return err
	case len(rest) != 1:
		return usagef("name one node")
	}
	config, err := a.open()
	if err != nil {
		return err
	}
	var errs []error
	for _, address := range a.cluster { // any will do
		err := remote.AskDrain(context.Background(), address, config, rest[0], drain)
		if err == nil {
			return nil
		}
		errs = append(errs, fmt.Errorf("%s: %w", address, err))
	}
	return errors.Join(errs...)
}
