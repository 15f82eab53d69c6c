internal import Bytes
internal import Channels
internal import Crypto
internal import Datapath
internal import Exchange
internal import Link
internal import Relay
internal import Synchronization

/// What an earlier program left to this one: all of it, or, if it cannot be read or does not fit,
/// the sockets.
public final class Resumption: Sendable {
    /// What can be gone on with.
    struct Whole: Sendable {
        var state: HandoverState
        var channels: ChannelHandover
        var snapshot: Memory
    }

    /// Whole keys, if there are any.
    let keys: HandedKeys?
    /// Tickets that are lost unless all of it can be gone on with.
    let losses: [Bytes32: UInt64]
    private let manifest: Manifest
    private let contents: Mutex<Contents>

    private struct Contents: Sendable {
        var whole: Whole?
        var sockets: [Int32]
        /// Why there is no whole.
        var reason = ""
        var upgrades = UpgradeRecord()
    }

    /// Takes over what lies behind a descriptor that this process inherited.
    public init(descriptor: Int32) {
        let read = (try? SharedPages(adopting: descriptor)).flatMap { Manifest($0) }
        manifest = read ?? Manifest()
        keys = HandedKeys(manifest.keys)
        losses = LossRecord.read(manifest.losses)
        var contents = Contents(
            whole: nil,
            sockets: manifest.descriptors.filter { $0.kind == .socket }.map(\.number)
        )
        for number in manifest.descriptors.map(\.number) { Host.keep(number) }
        if let state = HandoverState(record: manifest.state),
            let channels = ChannelHandover(record: state.channels)
        {
            contents.upgrades = state.upgrades
            contents.whole = Whole(
                state: state,
                channels: channels,
                snapshot: manifest.snapshot
            )
        } else {
            contents.reason =
                read == nil ? "what was handed over is damaged" : "what was handed over is unknown"
        }
        self.contents = Mutex(contents)
    }

    /// All of it, if a program with this stamp can go on with it.
    func whole(_ stamp: StateStamp) -> Whole? {
        guard let whole = contents.withLock({ $0.whole }) else { return nil }
        guard let refusal = stamp.refusal(of: whole.state.stamp) else { return whole }
        giveUp(refusal)
        return nil
    }

    /// It cannot be gone on with, for this reason; the sockets can.
    func giveUp(_ reason: String) {
        contents.withLock { contents in
            contents.whole = nil
            if contents.reason.isEmpty { contents.reason = reason }
        }
    }

    /// Why there is nothing but sockets; empty if there is more.
    var reason: String { contents.withLock { $0.reason } }

    /// What became of upgrades before this one.
    var upgrades: UpgradeRecord { contents.withLock { $0.upgrades } }

    /// Descriptors of the sockets for so many workers, and nothing else; once. Those of the sockets
    /// that are too many are closed.
    func takeSockets(_ count: Int) -> [WorkerHandover] {
        let sockets = contents.withLock { contents in
            defer { contents.sockets = [] }
            return contents.sockets
        }
        for socket in sockets.dropFirst(count) { Host.close(socket) }
        return (0..<count).map { index in
            let socket = index < sockets.count ? sockets[index] : -1
            return WorkerHandover(socket: socket, memory: -1, rings: -1)
        }
    }

    /// Descriptors of all that the workers left; the sockets stay here, too.
    func shareWorkers(_ whole: Whole) throws(DatapathError) -> [WorkerHandover] {
        var workers = whole.state.workers
        for index in workers.indices { workers[index].socket = try Host.share(workers[index].socket) }
        return workers
    }
}

/// Keys as one program hands them to the next: what opens the key files, and what was in them.
struct HandedKeys: Sendable {
    let passphrase: SecretBytes
    let chainKey: ChainKey
    let packetKeys: [PacketKey]

    init(passphrase: SecretBytes, chainKey: ChainKey, packetKeys: [PacketKey]) {
        self.passphrase = passphrase
        self.chainKey = chainKey
        self.packetKeys = packetKeys
    }

    // Bytes of the passphrase, number of packet keys, passphrase, chain key, seeds.

    /// As bytes.
    var secret: SecretBytes {
        let chain = ChainKey.secretBytes
        let seed = PacketKey.seedBytes
        let all = SecretBytes(count: 8 + passphrase.count + chain + packetKeys.count * seed)
        all.withRegion { all in
            all.store(UInt32(passphrase.count), 0)
            all.store(UInt32(packetKeys.count), 4)
            passphrase.withRegion { all.copy($0, to: 8) }
            var offset = 8 + passphrase.count
            chainKey.withSecretScalar { all.copy($0, to: offset) }
            offset += chain
            for key in packetKeys {
                withExtendedLifetime(key) { all.copy(key.seed, to: offset) }
                offset += seed
            }
        }
        return all
    }

    /// What `secret` gave; nil if it is something else.
    init?(_ secret: SecretBytes) {
        let chain = ChainKey.secretBytes
        let seed = PacketKey.seedBytes
        let read = secret.withRegion { all -> HandedKeys? in
            guard all.byteCount >= 8 else { return nil }
            let length = Int(all.load(0) as UInt32)
            let count = Int(all.load(4) as UInt32)
            guard count > 0, all.byteCount == 8 + length + chain + count * seed,
                let chainKey = ChainKey(secret: all.slice(8 + length, chain))
            else { return nil }
            let seeds = 8 + length + chain
            return HandedKeys(
                passphrase: SecretBytes(copying: all.slice(8, length)),
                chainKey: chainKey,
                packetKeys: (0..<count).map { PacketKey(seed: all.slice(seeds + $0 * seed, seed)) }
            )
        }
        guard let read else { return nil }
        self = read
    }
}
