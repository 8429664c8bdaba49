"""A WebRTC peer of aiortc: DTLS by OpenSSL, SCTP of its own.

It reads requests from its standard input, a JSON object a line, and writes their answers to its standard output, with messages
and states of data channels in between. peers/aiortc.js is the other end.
"""
import asyncio
import base64
import json
import sys

import aioice.ice
from aiortc import (
    RTCCertificate, RTCDataChannel, RTCDataChannelParameters, RTCDtlsFingerprint, RTCDtlsParameters, RTCDtlsTransport,
    RTCIceCandidate, RTCIceGatherer, RTCIceParameters, RTCIceTransport, RTCSctpCapabilities, RTCSctpTransport,
)

LONGEST_LINE = 1 << 20
SCTP_PORT = 5000

aioice.ice.get_host_addresses = lambda use_ipv4, use_ipv6: ["127.0.0.1"]


class SctpTransport(RTCSctpTransport):
    """aiortc's, but which end sends the INIT does not depend on ICE."""

    def __init__(self, transport, waits):
        self.waits = waits
        self.connected = asyncio.Event()
        super().__init__(transport, SCTP_PORT)

    @property
    def is_server(self):
        return self.waits

    def _set_state(self, state):
        super()._set_state(state)
        if state == self.State.ESTABLISHED:
            self.connected.set()


class Peer:
    async def open(self, role):
        """Gathers candidates. role is that of DTLS: client or server."""
        gatherer = RTCIceGatherer()
        self.ice = RTCIceTransport(gatherer)
        self.ice._connection.ice_controlling = True  # the worker is ICE lite, thus controlled
        self.dtls = RTCDtlsTransport(self.ice, [RTCCertificate.generateCertificate()])
        self.dtls._set_role(role)
        await gatherer.gather()
        return [{"algorithm": f.algorithm, "value": f.value} for f in self.dtls.getLocalParameters().fingerprints]

    async def connect(self, iceParameters, iceCandidates, fingerprints):
        """Connects ICE and DTLS; returns the version that OpenSSL negotiated."""
        for c in iceCandidates:
            await self.ice.addRemoteCandidate(RTCIceCandidate(
                component=1, foundation=c["foundation"], ip=c["address"], port=c["port"], priority=c["priority"],
                protocol=c["protocol"], type=c["type"],
            ))
        await self.ice.addRemoteCandidate(None)
        await self.ice.start(RTCIceParameters(
            usernameFragment=iceParameters["usernameFragment"], password=iceParameters["password"], iceLite=True,
        ))
        await self.dtls.start(RTCDtlsParameters(fingerprints=[RTCDtlsFingerprint(**f) for f in fingerprints]))
        return {"ice": self.ice.state, "dtls": self.dtls.state, "version": self.dtls.ssl.get_protocol_version_name()}

    async def start_sctp(self, waits):
        """Connects SCTP. One that runs is forgotten, as if this process had been replaced."""
        if hasattr(self, "sctp"):
            self.dtls._unregister_data_receiver(self.sctp)
            self.sctp._t3_cancel()
        self.sctp = SctpTransport(self.dtls, waits)
        self.channels = {}
        await self.sctp.start(RTCSctpCapabilities(maxMessageSize=0), SCTP_PORT)
        await self.sctp.connected.wait()

    async def channel(self, parameters):
        """Opens negotiated data channels."""
        for p in parameters:
            channel = RTCDataChannel(self.sctp, RTCDataChannelParameters(negotiated=True, **p))
            channel.on("open", lambda p=p: tell(state="open", channel=p["id"]))
            channel.on("close", lambda p=p: tell(state="closed", channel=p["id"]))
            channel.on("message", lambda message, p=p: tell(channel=p["id"], **encoded(message)))
            self.channels[p["id"]] = channel
            tell(state=channel.readyState, channel=p["id"])

    async def send(self, channel, **message):
        self.channels[channel].send(decoded(message))

    async def close(self):
        await self.dtls.stop()
        await self.ice.stop()


def encoded(message):
    return {"text": message} if isinstance(message, str) else {"bytes": base64.b64encode(message).decode()}


def decoded(message):
    return message["text"] if "text" in message else base64.b64decode(message["bytes"])


def tell(**what):
    print(json.dumps(what), flush=True)


async def main():
    peer = Peer()
    reader = asyncio.StreamReader(limit=LONGEST_LINE)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        request = json.loads(line)
        number, method = request.pop("request"), request.pop("method")
        try:
            tell(answer=number, result=await getattr(peer, method)(**request))
        except Exception as error:  # the test fails with it
            tell(answer=number, error=repr(error))


asyncio.run(main())
