import Bytes
import Crypto
import Exchange
import Foundation
import TestSupport
import Testing

@testable import Node

@Suite struct HandoverTests {
    private func configuration(_ more: String = "") throws -> Configuration {
        let text = """
            [node]
            data = "data"
            keys = "keys"
            listen = "127.0.0.1:9091"
            [ledger]
            socket = "ledger.sock"
            \(more)
            """
        return try Configuration.parse(Array(text.utf8), file: "/etc/dray.toml")
    }

    // MARK: the stamp

    @Test func `a stamp of the same configuration fits, as text too`() throws {
        let stamp = try StateStamp(configuration())
        #expect(stamp.refusal(of: StateStamp(text: stamp.text)) == nil)
        #expect(StateStamp(text: stamp.text) == stamp)
        // What has no part in the state may change.
        let other = try StateStamp(
            configuration("[mixing]\nmax_ms = 10\n[tickets]\nprice = \"7\"\n[exit]\nflows = 9\n")
        )
        #expect(other.refusal(of: stamp) == nil)
    }

    @Test(arguments: [
        ("[workers]\ncount = 3", "workers.count is 3 now, and 1 in the running node"),
        ("[workers]\nreceive_buffers = 64", "workers.receive_buffers"),
        ("[links]\npeers = 77", "links.peers is 77 now"),
        ("[links]\ncoalescing = false", "links.coalescing is false now"),
        ("[links]\ndatagram_bytes = 1300", "links.datagram_bytes"),
        ("[mixing]\ncapacity = 77", "mixing.capacity is 77 now"),
        ("[mixing]\nmax_ms = 9000", "the tick of mixing"),
        ("[tickets]\nunacknowledged = 777", "tickets.unacknowledged is 777 now"),
        ("[tickets]\nself_check = true", "tickets.self_check"),
        ("[replay]\ntags = 7777", "replay.tags is 7777 now"),
        ("[packet]\nprofile = \"mix13\"", "packet.payload_bytes"),
    ])
    func `what tables depend on is named`(more: String, reason: String) throws {
        let running = try StateStamp(configuration())
        let refusal = try #require(try StateStamp(configuration(more)).refusal(of: running))
        #expect(refusal.contains(reason), "\(refusal)")
    }

    @Test func `another build is told by what it hands over`() throws {
        let stamp = try StateStamp(configuration())
        func refusal(_ from: String, _ to: String) -> String? {
            let running = stamp.text.replacingOccurrences(of: from, with: to)
            return stamp.refusal(of: StateStamp(text: running))
        }
        #expect(refusal("handover=1", "handover=9")?.contains("hands over format 9") == true)
        #expect(refusal("store=1", "store=0") == nil)
        #expect(refusal("store=1", "store=2")?.contains("are of format 2") == true)
        #expect(refusal("tables=", "tables=f")?.contains("divides its memory") == true)
        #expect(refusal("replay.tags", "new.thing")?.contains("new.thing") == true)
        let lines = stamp.text.split(separator: "\n").dropLast().joined(separator: "\n")
        #expect(stamp.refusal(of: StateStamp(text: lines))?.contains("does not hand over") == true)
        #expect(stamp.refusal(of: StateStamp(text: "")) != nil)
    }

    @Test func `the next program answers in one line`() throws {
        let stamp = try StateStamp(configuration())
        let ready = try UpgradeCheck.answer(configuration(), stamp: stamp.text)
        #expect(ready.isReady && ready.line.hasPrefix("ready to go on: dray "))
        let other = try UpgradeCheck.answer(
            configuration("[workers]\ncount = 2\npin = [0, 999]"),
            stamp: stamp.text
        )
        #expect(!other.isReady && other.line.contains("workers.count"))
        let pinned = try configuration("[workers]\npin = [999]")
        let pins = UpgradeCheck.answer(pinned, stamp: try StateStamp(pinned).text)
        #expect(!pins.isReady && pins.line.contains("no CPU 999"))
    }

    // MARK: the manifest

    private func manifest() -> Manifest {
        var random = SeededGenerator("manifest")
        var manifest = Manifest()
        manifest.descriptors = [
            .init(kind: .socket, number: 7), .init(kind: .memory, number: 9),
        ]
        manifest.note = random.bytes(100)
        manifest.state = random.bytes(1_000)
        manifest.keys = SecretBytes(random.bytes(77))
        manifest.snapshot = Memory(640)
        manifest.snapshot.region.store(bytes: random.bytes(640), 0)
        return manifest
    }

    @Test func `a manifest is read as it was written, and wiped`() throws {
        let written = manifest()
        let pages = try written.write()
        let read = try #require(Manifest(pages))
        #expect(read.descriptors == written.descriptors)
        #expect(read.note == written.note && read.state == written.state)
        #expect(read.keys.bytes == written.keys.bytes)
        #expect(read.snapshot.region.array == written.snapshot.region.array)
        #expect(pages.region.array.allSatisfy { $0 == 0 })
    }

    @Test func `a damaged manifest is none`() throws {
        var random = SeededGenerator("damaged manifest")
        let count = try manifest().write().region.byteCount
        // All of the head, and some of the rest.
        let rest = (0..<60).map { _ in Int.random(in: 64..<min(count, 2_048), using: &random) }
        for place in Array(0..<64) + rest {
            let pages = try manifest().write()
            let bit = UInt8(1) << UInt8.random(in: 0..<8, using: &random)
            pages.region.store(pages.region.byte(place) ^ bit, place)
            let isRead = Manifest(pages) != nil
            #expect(!isRead, "byte \(place), bit \(bit), seed \(random.seed)")
        }
    }

    @Test func `keys are handed over, or nothing is`() throws {
        let keys = HandedKeys(
            passphrase: SecretBytes(Array("a secret".utf8)),
            chainKey: .random(),
            packetKeys: [.random(), .random()]
        )
        let read = try #require(HandedKeys(keys.secret))
        #expect(read.passphrase.bytes == Array("a secret".utf8))
        #expect(read.chainKey.address == keys.chainKey.address)
        #expect(read.packetKeys.map(\.publicKey) == keys.packetKeys.map(\.publicKey))
        let bytes = keys.secret.bytes
        for cut in 0..<bytes.count { #expect(HandedKeys(SecretBytes(bytes[..<cut])) == nil) }
    }

    // MARK: the state

    private func state() throws -> HandoverState {
        var sums = WorkerSums([])
        sums.counters = [.forwarded: 12, .made: 3]
        sums.drops = [.replay: 4]
        sums.latency = [1_024: 7]
        return HandoverState(
            stamp: try StateStamp(configuration()),
            version: "dray 9.9.9",
            frozenNanos: 1,
            startNanos: 2,
            load: .init(held: 3, queued: 4, awaited: 5, sessions: 6),
            storeTransaction: 7,
            workerHash: KeyedHash(8, 9),
            linkHash: KeyedHash(10, 11),
            workers: [.init(socket: 12, memory: 13, rings: 14)],
            links: 15,
            books: 16,
            channels: [17, 18],
            pastSums: sums
        )
    }

    @Test func `a state is read as it was written`() throws {
        let state = try state()
        let read = try #require(HandoverState(record: state.record))
        #expect(read.stamp == state.stamp && read.version == state.version)
        #expect(read.frozenNanos == 1 && read.startNanos == 2 && read.load == state.load)
        #expect(read.storeTransaction == 7 && read.linkHash.k1 == 11 && read.workerHash.k0 == 8)
        #expect(read.descriptors == state.descriptors && read.channels == [17, 18])
        #expect(read.pastSums.counters == state.pastSums.counters)
        #expect(read.pastSums.drops == state.pastSums.drops)
        #expect(read.pastSums.latency == state.pastSums.latency)
        let record = state.record
        for cut in stride(from: 0, to: record.count, by: 7) {
            #expect(HandoverState(record: Array(record[..<cut])) == nil)
        }
    }

    @Test func `a note is read as it was written`() throws {
        var note = HandoverNote()
        note.upgrades.attempts = 3
        note.upgrades.done = 2
        note.upgrades.pauseNanos = 5
        note.upgrades.failure = "why"
        note.losses = [Random.bytes32(): 4, Random.bytes32(): 5]
        let read = try #require(HandoverNote(record: note.record))
        #expect(read.upgrades == note.upgrades && read.losses == note.losses)
        #expect(HandoverNote(record: [1, 2]) == nil)
    }

    @Test func `nothing that can be read is a start with nothing`() {
        let resumption = Resumption(descriptor: 9_999)
        #expect(resumption.reason == "what was handed over is damaged")
        #expect(resumption.keys == nil && resumption.note.losses.isEmpty)
        #expect(resumption.takeSockets(2).allSatisfy { $0.socket == -1 && $0.memory == -1 })
    }
}
