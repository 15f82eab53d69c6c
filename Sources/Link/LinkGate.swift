public import Bytes
public import Crypto
public import Datapath

/// What a gate says of a handshake datagram.
public struct LinkVerdict: BitwiseCopyable, Sendable {
    /// `.none` if the desk should have it.
    public let drop: Drop
    /// True if its sender should be sent a cookie reply.
    public let wantsCookie: Bool
    /// Which of our identities it is for.
    let identity: Int

    @_noLocks
    init(_ drop: Drop, wantsCookie: Bool = false, identity: Int = 0) {
        self.drop = drop
        self.wantsCookie = wantsCookie
        self.identity = identity
    }
}

/// The cheap checks of handshake datagrams, on whatever thread received them: length, type, index,
/// first MAC; under load the second; then rates. Curve arithmetic is behind it.
///
/// A stranger's datagram costs one keyed hash (two while a previous packet key is served too), one
/// without a cookie under load two and a short one. Nothing allocates or waits.
public struct LinkGate: Sendable {
    /// Buckets of addresses.
    static var sources: Int { @_noLocks get { 4_096 } }

    private let table: LinkTable

    /// The gate of a table.
    public init(_ table: LinkTable) { self.table = table }

    /// True for datagrams of sessions, which `LinkWorker.open` takes; all others are the gate's.
    @_noLocks
    public static func isData(_ datagram: Region) -> Bool {
        datagram.byteCount >= LinkWire.headBytes
            && LinkWire.number(datagram, LinkWire.type) == LinkWire.data
    }

    /// Asks for cookies until then: who cannot keep up says so.
    @_noLocks
    public func setBusy(untilNanos: UInt64) {
        table.shared.store(untilNanos, SharedCell.busyNanos)
    }

    /// Judges a datagram that is not `isData`.
    @_noLocks
    public func check(
        _ datagram: Region,
        from source: DatagramAddress,
        nowNanos: UInt64
    ) -> LinkVerdict {
        guard table.isSize(datagram.byteCount) else { return LinkVerdict(.linkSize) }
        let type = LinkWire.number(datagram, LinkWire.type)
        let receiver = LinkWire.number(datagram, LinkWire.receiver)
        let counter: UInt64 = datagram.load(LinkWire.counter)
        guard counter == 0 else { return LinkVerdict(.linkType) }
        if type == LinkWire.cookieReply { return checkCookieReply(source, nowNanos) }
        guard let offset = LinkMac.offset(type: type) else { return LinkVerdict(.linkType) }
        if type == LinkWire.initiation {
            guard receiver == 0 else { return LinkVerdict(.linkType) }
        } else {
            guard table.slot(index: receiver, opening: false) != LinkTable.none else {
                return LinkVerdict(.linkUnknown)
            }
        }
        let identity = table.identity(datagram, macAt: offset)
        guard identity >= 0 else { return LinkVerdict(.linkMac) }
        if isLoaded(nowNanos) {
            var cookie = Bytes16()
            let isProven = cookie.withRegion { cookie in
                table.makeCookie(source, nowNanos: nowNanos, into: cookie)
                return LinkMac.isProven(datagram, at: offset, cookie: cookie)
            }
            guard isProven else { return askForCookie(nowNanos, identity) }
        }
        guard sourceMeter(source).take(nowNanos), deskMeter.take(nowNanos) else {
            return LinkVerdict(.linkRate)
        }
        return LinkVerdict(.none, identity: identity)
    }

    @_noLocks
    private func checkCookieReply(_ source: DatagramAddress, _ nowNanos: UInt64) -> LinkVerdict {
        let meter = RateMeter(
            table.shared,
            SharedCell.cookiesTaken,
            perSecond: LinkLimits.cookiesPerSecond,
            burst: LinkLimits.cookieBurst
        )
        let isAllowed = sourceMeter(source).take(nowNanos) && meter.take(nowNanos)
        return LinkVerdict(isAllowed ? .none : .linkRate)
    }

    @_noLocks
    private func askForCookie(_ nowNanos: UInt64, _ identity: Int) -> LinkVerdict {
        let meter = RateMeter(
            table.shared,
            SharedCell.cookiesSent,
            perSecond: LinkLimits.cookiesPerSecond,
            burst: LinkLimits.cookieBurst
        )
        return LinkVerdict(.linkCookie, wantsCookie: meter.take(nowNanos), identity: identity)
    }

    /// Counts a message with a good MAC; true while there are too many of them.
    @_noLocks
    private func isLoaded(_ nowNanos: UInt64) -> Bool {
        let meter = RateMeter(
            table.shared,
            SharedCell.load,
            perSecond: LinkLimits.loadPerSecond,
            burst: LinkLimits.loadBurst
        )
        let overflows = meter.overflows(nowNanos)
        return overflows || nowNanos < table.shared.load(SharedCell.busyNanos)
    }

    private var deskMeter: RateMeter {
        @_noLocks
        get {
            RateMeter(
                table.shared,
                SharedCell.desk,
                perSecond: LinkLimits.handshakesPerSecond,
                burst: LinkLimits.handshakeBurst
            )
        }
    }

    /// Addresses that fall on the same cell share its rate; which do, nobody outside can tell.
    @_noLocks
    private func sourceMeter(_ source: DatagramAddress) -> RateMeter {
        // An IPv4 address, or the network half of an IPv6 one.
        let high = EndpointWords(source).high
        let place = table.hash.hash(high, UInt64(source.family)) & UInt64(LinkGate.sources - 1)
        return RateMeter(
            table.sources,
            Int(place),
            perSecond: LinkLimits.sourcePerSecond,
            burst: LinkLimits.sourceBurst
        )
    }

    /// Writes the cookie reply to a datagram whose verdict wanted one, as long as the datagram;
    /// `reply` must not overlap it. Nothing but the datagram's own source must get it.
    @_noLocks
    public func writeCookieReply(
        to datagram: Region,
        _ verdict: LinkVerdict,
        from source: DatagramAddress,
        nowNanos: UInt64,
        random: inout RandomStream,
        into reply: Region
    ) {
        let reply = reply.slice(0, datagram.byteCount)
        let type = LinkWire.number(datagram, LinkWire.type)
        guard let offset = LinkMac.offset(type: type) else { return reply.fill(0) }
        random.fill(reply.slice(LinkWire.headBytes, reply.byteCount - LinkWire.headBytes))
        LinkWire.writeHead(
            reply,
            type: LinkWire.cookieReply,
            receiver: LinkWire.number(datagram, offset),
            counter: 0
        )
        var cookie = Bytes16()
        var key = Bytes32()
        cookie.withRegion { cookie in
            table.makeCookie(source, nowNanos: nowNanos, into: cookie)
            key.withRegion { key in
                table.readKey(identity: verdict.identity, half: 1, into: key)
                ChaChaPoly.sealExtended(
                    cookie,
                    data: datagram.slice(offset, LinkMac.bytes),
                    key: key,
                    nonce: reply.slice(LinkWire.cookieNonce, 24),
                    into: reply.slice(LinkWire.cookieSealed, 32)
                )
            }
        }
    }
}

/// What gates read, and the desk writes.
extension LinkTable {
    /// True if datagrams may have this length.
    @_noLocks
    public func isSize(_ byteCount: Int) -> Bool {
        for place in 0..<LinkLimits.sizesMax {
            let size = shared.load(SharedCell.sizes + place)
            if size != 0, size == UInt64(byteCount) { return true }
        }
        return false
    }

    /// Which of our identities knows the first MAC; -1 if none.
    @_noLocks
    func identity(_ datagram: Region, macAt offset: Int) -> Int {
        var key = Bytes32()
        return key.withRegion { key in
            for identity in 0..<Int(shared.loadAcquiring(SharedCell.identities)) {
                readKey(identity: identity, half: 0, into: key)
                if LinkMac.isRight(datagram, at: offset, key: key) { return identity }
            }
            return -1
        }
    }

    /// A key of an identity: of MACs (0) or of cookies (1). While it is being changed it may be
    /// neither the old nor the new one, and then a MAC does not match.
    @_noLocks
    func readKey(identity: Int, half: Int, into key: Region) {
        for word in 0..<4 {
            let cell = SharedCell.identityKeys + 8 * identity + 4 * half + word
            key.store(shared.load(cell), 8 * word)
        }
    }

    /// What who can read datagrams sent to `source` may know, for a while.
    @_noLocks
    func makeCookie(_ source: DatagramAddress, nowNanos: UInt64, into cookie: Region) {
        let words = EndpointWords(source)
        var input = FixedBytes<32>()
        input.withRegion { input in
            input.store(words.high, 0)
            input.store(words.low, 8)
            input.store(words.rest, 16)
            input.store(nowNanos / LinkLimits.cookieNanos, 24)
            var secret = Bytes16()
            secret.withRegion { secret in
                secret.store(shared.load(SharedCell.cookieSecret), 0)
                secret.store(shared.load(SharedCell.cookieSecret + 1), 8)
                ShortHash.mac(input, key: secret, into: cookie)
            }
        }
    }
}
