package main

// helpText is printed by --help, and when the worker is started by hand.
const helpText = `mediasoup-worker: the media worker of a mediasoup application

It is started by the mediasoup Node library, not by hand: the environment variable MEDIASOUP_VERSION says which
release of mediasoup it serves; it reads requests from file descriptor 3 and writes to file descriptor 4.
It serves all releases since 3.13.0: "mediasoup-worker dialects" lists them.
To use it, set MEDIASOUP_WORKER_BIN to its path in the environment of the Node application, or pass its path as
the option workerBin to createWorker().

Settings (the Node library gives those that createWorker() gets):
  --logLevel=<level>             debug, warn, error or none; default: error
  --logTags=<tag>                may be given many times: info, ice, dtls, rtp, srtp, rtcp, rtx, bwe, score,
                                 simulcast, svc, sctp, message
  --rtcMinPort=<port>            first port of the range for media; default: 10000
  --rtcMaxPort=<port>            last port of the range for media; default: 59999
  --dtlsCertificateFile=<path>   certificate for DTLS in PEM format, with its key in
  --dtlsPrivateKeyFile=<path>    this file; default: a certificate of its own
  --mediasoupVersion=<release>   the release that the application speaks, whatever MEDIASOUP_VERSION says
  --help                         print this
  --version                      print the version

Accepted without effect: --libwebrtcFieldTrials=<trials>, and of older releases
--disableLiburing=true, --useBuiltInSctpStack=true.

Other uses:
  mediasoup-worker dialects      lists the releases served and what differs between them; --help says more

Clients that cannot name their release, and give MEDIASOUP_VERSION=default or nothing, get the one that the
environment variable GAZPACHO_MEDIASOUP_VERSION names, or the name of this binary (mediasoup-worker-3.19.22), or a file
beside it (mediasoup-worker.version); with "default" and none of these, the newest known.

The environment variable GAZPACHO_RESOURCE_USAGE says what 100 per cent of CPU are in worker.getResourceUsage(): share
(default: the cores divided by the workers on them), process (one core) or machine (all cores).

Exit codes: 0 closed by the application or by SIGINT or SIGTERM, 40 the channel to the application does not work,
42 wrong settings, or a release that is missing or not served.
`
