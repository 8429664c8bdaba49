// Command mediasoup-worker is the process that the mediasoup Node library starts for each Worker of an application.
//
// This package only wires: it reads the command line and the environment, takes over the file descriptors, and connects
// the channel with the engine.
package main

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"strings"
	"syscall"

	"gazpacho/channel"
	"gazpacho/engine/api"
	"gazpacho/fbs"
	"gazpacho/scaling/front"
)

// File descriptors of the channel (upstream's values, of its main).
const (
	inFD  = 3
	outFD = 4
)

// Exit codes (upstream's values, of its lib and main). The Node library knows 42 as wrong settings.
const (
	exitOK            = 0
	exitBrokenChannel = 40
	exitWrongSettings = 42
)

// gcPercent is how much the heap may grow between two garbage collections, ours. Forwarding allocates nothing, so that
// collections are rare, and half of Go's default saves memory at no cost that could be measured. GOGC overrides it.
const gcPercent = 50

func main() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	from := sources{env: os.Getenv(versionEnv), ownEnv: os.Getenv(ownVersionEnv), programs: programs(os.Args[0])}
	os.Exit(run(os.Args[1:], from, os.Stdout, os.Stderr))
}

// run is the whole program, up to the exit code.
func run(args []string, from sources, stdout, stderr io.Writer) int {
	if len(args) > 0 && args[0] == dialectsCommand {
		return listDialects(args[1:], stdout, stderr)
	}
	fail := func(code int, format string, args ...any) int {
		fmt.Fprintf(stderr, "mediasoup-worker: "+format+"\n", args...)
		return code
	}
	cfg, err := parseFlags(args)
	switch {
	case err != nil:
		return fail(exitWrongSettings, "wrong settings: %v", err)
	case cfg.help:
		fmt.Fprint(stdout, helpText)
		return exitOK
	case cfg.version:
		fmt.Fprintln(stdout, versionText())
		return exitOK
	}
	from.flag = cfg.mediasoupVersion
	chosen, err := from.choose()
	if err != nil {
		return fail(exitWrongSettings, "%v\n%s\n\n%s", err, supported(), helpText)
	}
	dialect, err := chosen.dialect()
	if err != nil {
		return fail(exitWrongSettings, "wrong settings: %v\n%s", err, supported())
	}
	in, out, err := openChannel()
	if err != nil {
		return fail(exitBrokenChannel, "%v\n\n%s", err, helpText)
	}
	err = serve(cfg, chosen.release, dialect, in, out)
	switch {
	case errors.Is(err, channel.ErrClosedByApplication), errors.Is(err, channel.ErrStopped):
		return exitOK
	case errors.Is(err, errWrongSettings):
		return fail(exitWrongSettings, "%v", err)
	case errors.Is(err, channel.ErrHungUp):
		return fail(exitOK, "%v", err)
	default:
		return fail(exitBrokenChannel, "%v", err)
	}
}

func versionText() string {
	return fmt.Sprintf("mediasoup-worker %s (gazpacho), serves mediasoup %s to %s, %s %s/%s",
		version, fbs.Oldest(), fbs.Newest(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
}

// serve connects the channel with a worker until one of them ends, and says why.
func serve(cfg *config, release string, dialect *fbs.Dialect, in io.Reader, out io.Writer) error {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	ignoreSignals()

	compat, err := fbs.Compat(release)
	if err != nil {
		return fmt.Errorf("%w: %w", errWrongSettings, err)
	}
	settings := channel.NewSettings()
	ch := channel.New(channel.Options{
		In: in, Out: out, Decoder: dialect, Encoder: dialect.NewEncoder(), Settings: settings, PID: os.Getpid(),
		Compat: compat,
	})
	if err := settings.Update(&api.WorkerUpdateSettingsRequest{LogLevel: cfg.logLevel, LogTags: cfg.logTags}); err != nil {
		return err
	}
	logStart(ch.Logger(), cfg, release)
	worker, err := newWorker(cfg, compat, ch, func(req *api.WorkerUpdateSettingsRequest) error {
		if err := settings.Update(req); err != nil {
			return err
		}
		logSettings(ch.Logger(), cfg, settings)
		return nil
	})
	if err != nil {
		return fmt.Errorf("%w: %w", errWrongSettings, err)
	}
	logSettings(ch.Logger(), cfg, settings)
	go func() {
		<-signals
		ch.Stop()
	}()
	go func() {
		waitForHangup(inFD)
		ch.HungUp()
	}()
	err = ch.Serve(worker)
	if f, ok := worker.(*front.Front); ok {
		if failure := reportCounters(f); failure != nil {
			return failure
		}
	}
	return err
}

// errWrongSettings marks what only the engine finds wrong with the settings, such as a certificate that is none.
var errWrongSettings = errors.New("wrong settings")

// logStart tells who is starting.
func logStart(logger *slog.Logger, cfg *config, release string) {
	logger.Debug("starting mediasoup-worker process", channel.TagKey, "info", "version", release, "worker", version)
	if fbs.IsNewer(release) {
		logger.Warn("mediasoup is newer than this worker knows: it is served like the newest known",
			"version", release, "newest", fbs.Newest())
	}
	if like, err := fbs.ServedLike(release); err == nil && !fbs.IsNewer(release) && like.Version != release {
		logger.Warn("mediasoup's release is not one that npm offers: it is served like an older one",
			"version", release, "like", like.Version)
	}
	for _, arg := range cfg.ignored {
		logger.Warn("argument without effect", channel.TagKey, "info", "argument", arg)
	}
}

// logSettings tells the settings in force.
func logSettings(logger *slog.Logger, cfg *config, settings *channel.Settings) {
	logger.Debug("settings", channel.TagKey, "info",
		"logLevel", settings.LogLevel(), "logTags", strings.Join(settings.LogTags(), ","),
		"rtcMinPort", cfg.rtcMinPort, "rtcMaxPort", cfg.rtcMaxPort,
		"dtlsCertificateFile", cfg.dtlsCertFile, "dtlsPrivateKeyFile", cfg.dtlsKeyFile)
}
