// Command mediasoup-worker is the process that the mediasoup Node library starts for each Worker of an application.
//
// This package is wiring only: it reads the command line and the environment, takes over the file descriptors, and
// connects the channel to the engine.
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
)

// From the C++ worker's main: file descriptors of the channel.
const (
	inFD  = 3
	outFD = 4
)

// From the C++ worker's lib and main: exit codes. To the Node library, 42 means wrong settings.
const (
	exitOK            = 0
	exitWorkerEnded   = 1 // chosen here; any code that is not 42 makes the Node library emit "died"
	exitBrokenChannel = 40
	exitWrongSettings = 42
)

// gcPercent, chosen here, is how much the heap may grow between two garbage collections. Forwarding allocates nothing, so
// collections are rare, and half of Go's default saves memory at no measurable cost. GOGC overrides it.
const gcPercent = 50

func main() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	from := sources{
		env: os.Getenv(versionEnv), ownEnv: os.Getenv(ownVersionEnv), programs: programs(os.Args[0]),
		packageFolder: os.Getenv(packageEnv), parent: fmt.Sprintf("/proc/%d", os.Getppid()),
	}
	os.Exit(run(os.Args[1:], from, os.Stdout, os.Stderr))
}

// run runs the program and returns its exit code.
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
	spoken, err := chosen.protocol(from.packageFolder, func() []string { return applicationFolders(from.parent, from.programs) })
	if err != nil {
		return fail(exitWrongSettings, "wrong settings: %v\n%s", err, supported())
	}
	in, out, err := openChannel()
	if err != nil {
		return fail(exitBrokenChannel, "%v\n\n%s", err, helpText)
	}
	err = serve(cfg, spoken, in, out)
	if errors.Is(err, channel.ErrClosedByApplication) || errors.Is(err, channel.ErrStopped) {
		return exitOK
	}
	return fail(exitCode(err), "%v", err)
}

// exitCode returns the code for an end that the application has not asked for.
func exitCode(reason error) int {
	switch {
	case errors.Is(reason, errWrongSettings):
		return exitWrongSettings
	case errors.Is(reason, channel.ErrWorkerEnded):
		return exitWorkerEnded
	case errors.Is(reason, channel.ErrHungUp):
		return exitOK
	default:
		return exitBrokenChannel
	}
}

func versionText() string {
	return fmt.Sprintf("mediasoup-worker %s (gazpacho), serves mediasoup %s to %s, %s %s/%s",
		version, fbs.Oldest(), fbs.Newest(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
}

// serve connects the channel to a worker until one of them ends, and returns the reason.
func serve(cfg *config, spoken *protocol, in io.Reader, out io.Writer) error {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	ignoreSignals()

	compat, err := fbs.Compat(spoken.release)
	if err != nil {
		return fmt.Errorf("%w: %w", errWrongSettings, err)
	}
	if compat.SharpFirst, err = parseLayers(os.Getenv(layersEnv)); err != nil {
		return fmt.Errorf("%w: %w", errWrongSettings, err)
	}
	queue, err := parseQueue(os.Getenv(queueEnv))
	if err != nil {
		return fmt.Errorf("%w: %w", errWrongSettings, err)
	}
	settings := channel.NewSettings()
	ch := channel.New(channel.Options{
		In: in, Out: out, Decoder: spoken.dialect, Encoder: spoken.dialect.NewEncoder(), Settings: settings, PID: os.Getpid(),
		Compat: compat, MediaLimit: queue,
	})
	if err := settings.Update(&api.WorkerUpdateSettingsRequest{LogLevel: cfg.logLevel, LogTags: cfg.logTags}); err != nil {
		return err
	}
	logStart(ch.Logger(), cfg, spoken)
	worker, err := newWorker(cfg, spoken.release, compat, ch, func(req *api.WorkerUpdateSettingsRequest) error {
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
	shown, err := show(worker, spoken.release, ch)
	if err != nil {
		worker.Close()
		return fmt.Errorf("%w: %w", errWrongSettings, err)
	}
	defer shown.hide()
	if c, ok := worker.(*cluster); ok {
		defer c.serveImports(spoken.dialect, ch).Close()
	}
	err = ch.Serve(shown)
	if c, ok := worker.(*cluster); ok {
		if failure := reportCounters(c.Front); failure != nil {
			return failure
		}
	}
	return err
}

// errWrongSettings marks errors in the settings that only the engine finds, such as an invalid certificate.
var errWrongSettings = errors.New("wrong settings")

// logStart logs the start, the release and the ignored arguments.
func logStart(logger *slog.Logger, cfg *config, spoken *protocol) {
	logger.Debug("starting mediasoup-worker process", channel.TagKey, "info", "version", spoken.release, "worker", version)
	spoken.log(logger)
	for _, arg := range cfg.ignored {
		logger.Warn("argument without effect", channel.TagKey, "info", "argument", arg)
	}
}

// logSettings logs the settings in force.
func logSettings(logger *slog.Logger, cfg *config, settings *channel.Settings) {
	logger.Debug("settings", channel.TagKey, "info",
		"logLevel", settings.LogLevel(), "logTags", strings.Join(settings.LogTags(), ","),
		"rtcMinPort", cfg.rtcMinPort, "rtcMaxPort", cfg.rtcMaxPort,
		"dtlsCertificateFile", cfg.dtlsCertFile, "dtlsPrivateKeyFile", cfg.dtlsKeyFile)
}
