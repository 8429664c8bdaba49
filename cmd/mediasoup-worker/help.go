package main

// helpText is what --help prints, and what someone reads who starts the worker by hand.
const helpText = `mediasoup-worker: the media worker of a mediasoup application

It is started by the mediasoup Node library, not by hand: it is told which release of mediasoup it serves by
the environment variable MEDIASOUP_VERSION, reads requests from file descriptor 3 and writes to file descriptor 4.
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
  --help                         print this
  --version                      print the version

Accepted without effect: --libwebrtcFieldTrials=<trials>, and of older releases
--disableLiburing=true, --useBuiltInSctpStack=true.

Exit codes: 0 closed by the application or by SIGINT or SIGTERM, 40 the channel to the application does not work,
41 MEDIASOUP_VERSION is missing, 42 wrong settings.
`
