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
    /// What can be read in any case.
    let note: HandoverNote
    private let descriptors: [Manifest.Descriptor]
    private let contents: Mutex<Contents>

    private struct Contents: Sendable {
        var whole: Whole?
        var sockets: [Int32]
        /// Why there is no whole.
        var reason = ""
    }

    /// Takes over what lies behind a descriptor that this process inherited.
    public init(descriptor: Int32) {
        let read = (try? SharedPages(adopting: descriptor)).flatMap { Manifest($0) }
        let manifest = read ?? Manifest()
        descriptors = manifest.descriptors
        keys = HandedKeys(manifest.keys)
        note = HandoverNote(record: manifest.note) ?? HandoverNote()
        var contents = Contents(
            whole: nil,
            sockets: manifest.descriptors.filter { $0.kind == .socket }.map(\.number)
        )
        for descriptor in descriptors { Host.keep(descriptor.number) }
        if let state = HandoverState(record: manifest.state),
            let channels = ChannelHandover(record: state.channels)
        {
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
        guard let whole = contents.withLock({ $0.whole }) else {
            close(.memory)
            return nil
        }
        guard let refusal = stamp.refusal(of: whole.state.stamp) else { return whole }
        giveUp(refusal)
        return nil
    }

    /// The whole with descriptors that are the caller's; those of this object stay open until
    /// `taken` or `giveUp`.
    func share(_ whole: Whole) throws(DatapathError) -> Whole {
        var shared = whole
        for index in whole.state.workers.indices {
            let worker = whole.state.workers[index]
            shared.state.workers[index] = WorkerHandover(
                socket: try Host.share(worker.socket),
                memory: try Host.share(worker.memory),
                rings: try Host.share(worker.rings)
            )
        }
        shared.state.links = try Host.share(whole.state.links)
        shared.state.books = try Host.share(whole.state.books)
        return shared
    }

    /// Somebody goes on with all of it.
    func taken() {
        close(.memory)
        contents.withLock { $0.whole = nil }
        for socket in takeSockets() { Host.close(socket) }
    }

    /// It cannot be gone on with, for this reason; the sockets can.
    func giveUp(_ reason: String) {
        close(.memory)
        contents.withLock { contents in
            contents.whole = nil
            if contents.reason.isEmpty { contents.reason = reason }
        }
    }

    private func close(_ kind: Manifest.Kind) {
        for descriptor in descriptors where descriptor.kind == kind {
            Host.close(descriptor.number)
        }
    }

    private func takeSockets() -> [Int32] {
        contents.withLock { contents in
            defer { contents.sockets = [] }
            return contents.sockets
        }
    }

    /// Why there is nothing but sockets; empty if there is more.
    var reason: String { contents.withLock { $0.reason } }

    /// The sockets for so many workers, and nothing else; once. Those that are too many are closed.
    func takeSockets(_ count: Int) -> [WorkerHandover] {
        let sockets = takeSockets()
        for socket in sockets.dropFirst(count) { Host.close(socket) }
        return (0..<count).map { index in
            let socket = index < sockets.count ? sockets[index] : -1
            return WorkerHandover(socket: socket, memory: -1, rings: -1)
        }
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
