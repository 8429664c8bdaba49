package main

// helpText is printed by --help, and when someone starts the worker by hand.
const helpText = `mediasoup-worker: the media worker of a mediasoup application

The mediasoup Node library starts it; it is not made to be started by hand. It takes the release of mediasoup from
the environment variable MEDIASOUP_VERSION, reads requests from file descriptor 3 and writes to file descriptor 4.
It serves all releases since 3.13.0: "mediasoup-worker dialects" lists them.
To use it, set MEDIASOUP_WORKER_BIN to its path in the environment of the Node application, or pass its path as
the option workerBin to createWorker().

Settings (the Node library passes those given to createWorker()):
  --logLevel=<level>             debug, warn, error or none; default: error
  --logTags=<tag>                may be repeated: info, ice, dtls, rtp, srtp, rtcp, rtx, bwe, score,
                                 simulcast, svc, sctp, message
  --rtcMinPort=<port>            first port of the range for media; default: 10000
  --rtcMaxPort=<port>            last port of the range for media; default: 59999
  --dtlsCertificateFile=<path>   certificate for DTLS in PEM format; default: a generated one
  --dtlsPrivateKeyFile=<path>    the certificate's private key in PEM format
  --mediasoupVersion=<release>   the application's release of mediasoup; overrides MEDIASOUP_VERSION
  --help                         print this
  --version                      print the version

Accepted without effect: --libwebrtcFieldTrials=<trials>, and from older releases
--disableLiburing=true, --useBuiltInSctpStack=true.

Other uses:
  mediasoup-worker dialects      lists the releases served and how they differ; see dialects --help

A client that cannot name its release sets MEDIASOUP_VERSION=default, or nothing. The release then comes from the
environment variable GAZPACHO_MEDIASOUP_VERSION, from the name of this binary (mediasoup-worker-3.19.22), or from a
file beside it (mediasoup-worker.version). With "default" and none of these, it is the newest known.

The schema of a release that this worker does not know is read from the application's mediasoup package. Where that is
not found, the environment variable GAZPACHO_MEDIASOUP_PACKAGE says in which folder it is.

The environment variable GAZPACHO_RESOURCE_USAGE sets what counts as 100% CPU in worker.getResourceUsage(): share
(default: the cores divided by the workers on them), process (one core) or machine (all cores).

The environment variable GAZPACHO_CHANNEL_QUEUE sets how many MiB may wait for an application that reads slowly, before
media of DirectTransports is dropped (default: 32).

The environment variable GAZPACHO_LAYERS sets what is forwarded of a video whose layers do not all fit: smooth (default:
a larger picture only with 12 frames a second, or all that its sender has) or sharp (mediasoup's rule).

The environment variable GAZPACHO_METRICS sets where metrics for Prometheus are served: an IP address with a port, or with a
range of which each worker takes the first free one (127.0.0.1:9464-9499), or a folder for unix sockets (unix:/run/gazpacho).
GAZPACHO_PPROF does the same for Go's profiles, on this host only. Default: neither.

Several hosts, or several processes, for one application (docs/cluster.md):
  GAZPACHO_CLUSTER               nodes that carry its transports: host, host:port or unix:/path/to/socket, separated by
                                 commas; default: none, everything is in this process
  GAZPACHO_TLS_DIR               folder with ca.pem and the application's certificate and key, for nodes on other hosts
  GAZPACHO_NAME                  which certificate, where the folder has several
  GAZPACHO_PLACEMENT             how transports are placed: fill (default), spread or fixed
  GAZPACHO_REGION, GAZPACHO_ZONE where the application's host is, as nodes say it by --region and --zone
  GAZPACHO_LOAD_LIMIT            load in per cent from which on a node gets nothing new; default: 95, 0: none
  GAZPACHO_FAN_OUT               how many nodes one node feeds a producer to, before those feed others; default: 4
  GAZPACHO_RUN_DIR               folder of the socket by which the application imports producers of others; default:
                                 $XDG_RUNTIME_DIR/gazpacho, else /tmp/gazpacho-<user id>
  GAZPACHO_CLUSTER_COUNTERS      file to which the worker appends at its end what it did, as a line of JSON

Exit codes: 0 closed by the application, by SIGINT or by SIGTERM; 40 the channel to the application does not work;
42 wrong settings, or a release that is missing or not served.
`
