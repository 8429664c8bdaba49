package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/BurntSushi/toml"
)

// settings are a command's options. Each is a flag, a variable of the environment and an entry of a TOML file, by one name:
// --tls-dir, GAZPACHO_TLS_DIR, tls-dir. The flag counts before the variable, and that before the file.
type settings struct {
	flags  *flag.FlagSet
	config *string
	about  string
}

// usageError is a mistake in how the program was called.
type usageError struct{ error }

var errHelp = errors.New("help was shown")

func isUsage(err error) bool {
	var u usageError
	return errors.As(err, &u)
}

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// newSettings returns a command's settings without options. about says what the command does and takes besides options.
func newSettings(name, about string) *settings {
	s := &settings{flags: flag.NewFlagSet(name, flag.ContinueOnError), about: about}
	s.flags.SetOutput(io.Discard) // errors are returned
	s.config = s.flags.String("config", "", "`file` in TOML that has these settings, by the same names")
	return s
}

// environment returns the variable of an option.
func environment(option string) string {
	return "GAZPACHO_" + strings.ToUpper(strings.ReplaceAll(option, "-", "_"))
}

// parse reads flags, environment and file, and returns the arguments that are no options.
func (s *settings) parse(args []string, stdout io.Writer) ([]string, error) {
	if err := s.flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		fmt.Fprint(stdout, s.help())
		return nil, errHelp
	} else if err != nil {
		return nil, usageError{s.plain(err)}
	}
	given := map[string]bool{}
	s.flags.Visit(func(f *flag.Flag) { given[f.Name] = true })
	var errs []error
	s.flags.VisitAll(func(f *flag.Flag) {
		value, ok := os.LookupEnv(environment(f.Name))
		if !ok || given[f.Name] {
			return
		}
		given[f.Name] = true
		if err := f.Value.Set(value); err != nil {
			errs = append(errs, fmt.Errorf("%s=%q: %w", environment(f.Name), value, wanted(f, err)))
		}
	})
	if *s.config != "" {
		errs = append(errs, s.parseFile(*s.config, given))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, usageError{err}
	}
	return s.flags.Args(), nil
}

// plain puts an error of package flag, whose options have one hyphen, into the words of this program.
func (s *settings) plain(err error) error {
	if name, ok := strings.CutPrefix(err.Error(), "flag provided but not defined: -"); ok {
		return fmt.Errorf("there is no option --%s", name)
	}
	if name, ok := strings.CutPrefix(err.Error(), "flag needs an argument: -"); ok {
		return fmt.Errorf("--%s: a value is missing", name)
	}
	for _, format := range []string{"invalid value %q for flag -%s", "invalid boolean value %q for -%s"} {
		var value, name string
		if n, _ := fmt.Sscanf(err.Error(), format, &value, &name); n == 2 {
			name = strings.TrimSuffix(name, ":")
			return fmt.Errorf("--%s %s: %w", name, value, wanted(s.flags.Lookup(name), err))
		}
	}
	return err
}

// wanted says what an option's value should be; package flag says of numbers and times only that they are none.
func wanted(f *flag.Flag, err error) error {
	getter, ok := f.Value.(flag.Getter)
	if !ok {
		return err
	}
	switch getter.Get().(type) {
	case bool:
		return errors.New("want true or false")
	case time.Duration:
		return errors.New("want a time, such as 90s or 1h30m")
	case string:
		return err
	}
	return errors.New("want a number")
}

// parseFile takes what the file says and neither flags nor environment have said.
func (s *settings) parseFile(name string, given map[string]bool) error {
	var entries map[string]any
	if _, err := toml.DecodeFile(name, &entries); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	var errs []error
	for option, value := range entries {
		f := s.flags.Lookup(option)
		if f == nil || option == "config" {
			errs = append(errs, fmt.Errorf("%s: there is no setting %q; there are %s", name, option, strings.Join(s.names(), ", ")))
			continue
		}
		if given[option] {
			continue
		}
		if err := f.Value.Set(text(value)); err != nil {
			errs = append(errs, fmt.Errorf("%s: %s = %v: %w", name, option, value, wanted(f, err)))
		}
	}
	slices.SortFunc(errs, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return errors.Join(errs...)
}

// text returns a value of the file as a flag would have it: lists are separated by commas.
func text(value any) string {
	list, ok := value.([]any)
	if !ok {
		return fmt.Sprint(value)
	}
	parts := make([]string, len(list))
	for i, v := range list {
		parts[i] = fmt.Sprint(v)
	}
	return strings.Join(parts, ",")
}

// names returns the names of the settings that a file can have.
func (s *settings) names() (names []string) {
	s.flags.VisitAll(func(f *flag.Flag) {
		if f.Name != "config" {
			names = append(names, f.Name)
		}
	})
	return names
}

func (s *settings) help() string {
	var b strings.Builder
	b.WriteString(s.about)
	b.WriteString("\n\nOptions, each with the variable of the environment that says the same:\n")
	s.flags.VisitAll(func(f *flag.Flag) {
		placeholder, usage := flag.UnquoteUsage(f)
		option := "--" + f.Name
		if placeholder != "" {
			option += " " + strings.ToUpper(placeholder)
		}
		fmt.Fprintf(&b, "  %s, %s\n      %s", option, environment(f.Name), usage)
		switch f.DefValue {
		case "", "false", "0", "0s": // nothing set, which the usage explains
		default:
			fmt.Fprintf(&b, " (default %s)", f.DefValue)
		}
		b.WriteString("\n")
	})
	return b.String()
}

// list is an option that holds several values, separated by commas.
type list []string

// String implements flag.Value.
func (l *list) String() string { return strings.Join(*l, ",") }

// Set implements flag.Value.
func (l *list) Set(s string) error {
	*l = nil
	for part := range strings.SplitSeq(s, ",") {
		if part = strings.TrimSpace(part); part != "" {
			*l = append(*l, part)
		}
	}
	return nil
}
