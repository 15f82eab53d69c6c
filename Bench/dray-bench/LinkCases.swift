import Bytes
import CSodium
import Crypto
import Datapath
import Harness
import Link

/// A train of datagrams between two link tables.
private final class LinkBench {
    static let count = LinkLimits.trainDatagramsMax
    static let bytes = LinkLimits.datagramBytes
    private static let nowNanos: UInt64 = 1_000

    private let memory: Memory
    private let train = Memory(LinkBench.count * LinkBench.bytes)
    private let sealed = Memory(LinkBench.count * LinkBench.bytes)
    private let plain = Memory(LinkBench.bytes)
    private let source = DatagramAddress.loopback(port: 9_000)
    private var sender: LinkWorker
    private var receiver: LinkWorker
    private let keeper: LinkKeeper
    /// The session, as the sender knows it and as the receiver does.
    private let session: UInt32
    private let index: UInt32
    private let key = [UInt8](repeating: 7, count: 32)

    init() {
        let size = LinkSize(peers: 4, workers: 1)
        memory = Memory(2 * LinkTable.byteCount(size))
        var arena = Arena(memory.region)
        let here = LinkTable(&arena, size, hash: KeyedHash(1, 2))
        let there = LinkTable(&arena, size, hash: KeyedHash(1, 2))
        let seed = Memory(32)
        var keeper = LinkKeeper(here, seed: seed.region)
        var other = LinkKeeper(there, seed: seed.region)
        guard let row = keeper.addPeer(keyID: 1, address: nil),
            let otherRow = other.addPeer(keyID: 2, address: source)
        else { fatalError("no row") }
        var keys = [UInt8](repeating: 7, count: 64)
        index = keys.withRegion {
            keeper.connect(
                row,
                with: &other,
                otherRow,
                keys: $0,
                datagramBytes: LinkBench.bytes,
                nowNanos: LinkBench.nowNanos
            )?.there ?? 0
        }
        session = here.sendingSession(row, nowNanos: LinkBench.nowNanos)
        self.keeper = other
        sender = LinkWorker(here, worker: 0)
        receiver = LinkWorker(there, worker: 0)
        sender.enter()
        receiver.enter()
        _ = seal(LinkBench.count)
        sealed.region.copy(train.region, to: 0)
    }

    private func reserve(_ count: Int) -> UInt64 {
        guard let first = sender.table.reserve(session: session, count: count) else {
            fatalError("no counters left")
        }
        return first
    }

    /// Seals a train as a relay does: together, if it is worth it.
    func queue(_ count: Int) -> UInt64 {
        let first = reserve(count)
        sender.queue(
            session: session,
            train: train.region,
            count: count,
            firstCounter: first,
            nowNanos: LinkBench.nowNanos
        )
        sender.sealQueued()
        return first
    }

    /// Opens the first datagrams of a train as a relay does.
    func openWaiting(_ count: Int) -> UInt64 {
        var opened: UInt64 = 0
        for place in 0..<count {
            let datagram = datagram(place, of: sealed)
            if !receiver.canWait(datagram) { opened += take() }
            _ = receiver.wait(datagram, from: source, nowNanos: LinkBench.nowNanos)
        }
        opened += take()
        precondition(opened == UInt64(count), "a datagram does not open")
        keeper.untake(index, 0..<UInt64(count))
        return opened
    }

    private func take() -> UInt64 {
        var opened: UInt64 = 0
        for lane in 0..<receiver.openWaiting() {
            let result = receiver.opened(lane, nowNanos: LinkBench.nowNanos)
            opened += result.verdict.index == 0 ? 1 : 0
        }
        return opened
    }

    // MARK: libcrypto, one by one

    /// Seals a train; its first counter.
    func seal(_ count: Int) -> UInt64 {
        let first = reserve(count)
        sender.seal(
            session: session,
            train: train.region,
            count: count,
            firstCounter: first,
            nowNanos: LinkBench.nowNanos
        )
        return first
    }

    /// Opens the first datagrams of a train that was sealed before.
    func open(_ count: Int) -> UInt64 {
        var opened: UInt64 = 0
        for place in 0..<count {
            let result = receiver.open(
                datagram(place, of: sealed),
                into: plain.region,
                from: source,
                nowNanos: LinkBench.nowNanos
            )
            opened += result.verdict.index == 0 ? 1 : 0
        }
        precondition(opened == UInt64(count), "a datagram does not open")
        keeper.untake(index, 0..<UInt64(count))
        return opened
    }

    private func datagram(_ place: Int, of train: Memory) -> Region {
        train.region.slice(place * LinkBench.bytes, LinkBench.bytes)
    }

    // MARK: libsodium

    private func nonce(_ counter: UInt64) -> FixedBytes<12> {
        var nonce = FixedBytes<12>()
        for index in 0..<8 {
            nonce[4 + index] = UInt8(truncatingIfNeeded: counter >> UInt64(8 * index))
        }
        return nonce
    }

    func sodiumSeal(_ count: Int) -> UInt64 {
        let text = LinkBench.bytes - 32
        for place in 0..<count {
            let bytes = unsafe octets(datagram(place, of: train).slice(16, text + 16))
            unsafe nonce(UInt64(place)).withPointer { nonce in
                _ = unsafe crypto_aead_chacha20poly1305_ietf_encrypt_detached(
                    bytes,
                    bytes + text,
                    nil,
                    bytes,
                    UInt64(text),
                    nil,
                    0,
                    nil,
                    nonce,
                    key
                )
            }
        }
        return UInt64(count)
    }

    func sodiumOpen(_ count: Int) -> UInt64 {
        let text = LinkBench.bytes - 32
        var opened: UInt64 = 0
        for place in 0..<count {
            let bytes = unsafe octets(datagram(place, of: sealed).slice(16, text + 16))
            unsafe nonce(UInt64(place)).withPointer { nonce in
                let isOpen =
                    unsafe crypto_aead_chacha20poly1305_ietf_decrypt_detached(
                        octets(plain.region),
                        nil,
                        bytes,
                        UInt64(text),
                        bytes + text,
                        nil,
                        0,
                        nonce,
                        key
                    ) == 0
                opened += isOpen ? 1 : 0
            }
        }
        precondition(opened == UInt64(count), "a datagram does not open")
        return opened
    }

    private func octets(_ region: Region) -> UnsafeMutablePointer<UInt8> {
        unsafe region.base.assumingMemoryBound(to: UInt8.self)
    }
}

/// Two desks that know each other.
private final class HandshakeBench {
    private final class Side {
        let memory: Memory
        let table: LinkTable
        let key: PacketKey
        let address: DatagramAddress
        var desk: LinkDesk

        init(_ number: UInt8) {
            let seed = Memory(64)
            seed.region.fill(number)
            key = withExtendedLifetime(seed) { PacketKey(seed: seed.region.slice(0, 32)) }
            address = .loopback(port: UInt16(number))
            let size = LinkSize(peers: 4, workers: 1)
            memory = Memory(LinkTable.byteCount(size))
            var arena = Arena(memory.region)
            table = LinkTable(&arena, size, hash: KeyedHash(1, 2))
            let prologue = LinkPrologue(
                packetBytes: 1_461,
                payloadBytes: 1_040,
                selector: 1,
                domain: Bytes32()
            )
            desk = LinkDesk(
                table,
                LinkConfig(prologue: prologue),
                identity: LinkIdentity(key),
                seed: seed.region,
                nowNanos: 0,
                wallNanos: 0
            )
            withExtendedLifetime(seed) {}
        }

        func peer(_ keyID: UInt32) -> LinkPeer {
            LinkPeer(keyID: keyID, packetKey: key.publicKey, address: address)
        }
    }

    private let here = Side(1)
    private let there = Side(2)
    private let room = Memory(LinkBench.bytes)
    private let junk = Memory(LinkBench.bytes)
    private var nowNanos: UInt64 = 0

    init() {
        here.desk.setPeers([there.peer(2)], nowNanos: 0)
        there.desk.setPeers([here.peer(1)], nowNanos: 0)
        junk.region.store(UInt8(1), 0)
    }

    /// A handshake from the wish to the session, and the padding that shows it: both sides.
    func handshake() -> UInt64 {
        // The session before has ended.
        nowNanos += 2 * LinkLimits.rejectNanos
        here.desk.wants(keyID: 2, nowNanos: nowNanos)
        here.desk.tick(nowNanos: nowNanos)
        there.desk.tick(nowNanos: nowNanos)
        pass(&here.desk, &there.desk, from: here.address)
        pass(&there.desk, &here.desk, from: there.address)
        guard let idle = here.desk.next(into: room.region, nowNanos: nowNanos) else {
            fatalError("no session")
        }
        return UInt64(idle.byteCount)
    }

    private func pass(
        _ sender: inout LinkDesk,
        _ taker: inout LinkDesk,
        from source: DatagramAddress
    ) {
        let sent = sender.next(into: room.region, nowNanos: nowNanos)
        let drop = taker.take(room.region, from: source, nowNanos: nowNanos)
        precondition(sent != nil && drop.index == 0, "no handshake")
    }

    /// What a stranger's datagram costs.
    func refuse() -> UInt64 {
        let gate = LinkGate(there.table)
        let verdict = gate.check(junk.region, from: here.address, nowNanos: nowNanos)
        return UInt64(verdict.drop.index)
    }
}

/// Datagrams of 1,452 bytes, alone and in trains: as links seal and open them, one by one with
/// libcrypto, and with libsodium; then handshakes and what is no handshake.
func linkCases() -> [Case] {
    let bench = LinkBench()
    let handshakes = HandshakeBench()
    return [1, 8, LinkBench.count].flatMap { count in
        let suffix = count == 1 ? "" : ".\(count)"
        return [
            Case("link.seal\(suffix)", batch: count) {
                _ = bench.queue(count)
                return UInt64(count)
            },
            Case("link.seal.crypto\(suffix)", batch: count) {
                _ = bench.seal(count)
                return UInt64(count)
            },
            Case("link.seal.sodium\(suffix)", batch: count) { bench.sodiumSeal(count) },
            Case("link.open\(suffix)", batch: count) { bench.openWaiting(count) },
            Case("link.open.crypto\(suffix)", batch: count) { bench.open(count) },
            Case("link.open.sodium\(suffix)", batch: count) { bench.sodiumOpen(count) },
        ]
    } + [
        Case("link.handshake") { handshakes.handshake() },
        Case("link.refused") { handshakes.refuse() },
    ]
}
