import Bytes
import Exchange
import TestSupport
import Testing
import Tickets

@Suite struct ExchangeTests {
    @Test func `the keyed hash is SipHash-1-3`() {
        // Key and input are 0, 1, 2, …; from an implementation of the paper that gives its vector
        // for SipHash-2-4.
        let words = (0..<4).map { 0x0706_0504_0302_0100 &+ 0x0808_0808_0808_0808 &* UInt64($0) }
        let hash = KeyedHash(words[0], words[1])
        #expect(hash.hash(words[0]) == 0x3690_9511_8d29_9a8e)
        #expect(hash.hash(words[0], words[1]) == 0xcc4f_dd1a_7d90_8b66)
        #expect(hash.hash(words[0], words[1], words[2]) == 0xf464_aeb2_6734_9c8c)
        let long = hash.hash(words[0], words[1], words[2], words[3], 32)
        #expect(long == 0x4d54_b9e5_7a8f_f9bf)
    }

    private func builder(_ count: Int) -> SnapshotBuilder {
        let own = Identity(0)
        var builder = SnapshotBuilder(
            current: own.packetIdentity,
            chainAddress: own.chainKey.address,
            chainKey: own.chainKey.secretScalar.load(0),
            domain: Bytes32(),
            policy: Policy(price: 1),
            hash: KeyedHash(11, 12)
        )
        for number in 0..<count {
            var address = Address()
            address[0] = UInt8(truncatingIfNeeded: number)
            address[1] = UInt8(truncatingIfNeeded: number >> 8)
            let port = UInt16(number % 60_000 + 1)
            builder.nodes.append(
                NodeRow(
                    keyID: UInt32(number) &* 0x9e37_79b9,
                    packetKey: Bytes32(),
                    chainAddress: address,
                    endpoint: Endpoint(ipv4: 10, 0, 0, UInt8(number % 251), port: port)
                )
            )
        }
        return builder
    }

    @Test(arguments: [0, 1, 8, 1_000])
    func `nodes are found by key id and by address`(count: Int) {
        let builder = builder(count)
        let memory = builder.build()
        let snapshot = Snapshot(memory.region)
        #expect(memory.region.byteCount == builder.byteCount)
        for (index, node) in builder.nodes.enumerated() {
            #expect(snapshot.node(keyID: node.keyID) == UInt32(index))
            #expect(snapshot.node(endpoint: node.endpoint) == UInt32(index))
        }
        #expect(snapshot.node(keyID: 7) == Snapshot.none)
        let strange = Endpoint(ipv4: 10, 1, 0, 1, port: 1)
        #expect(snapshot.node(endpoint: strange) == Snapshot.none)
    }

    @Test func `channels hang on their nodes, and two keys of one node know each other`() {
        var builder = builder(3)
        builder.nodes[2].chainAddress = builder.nodes[0].chainAddress
        let row = ChannelRow(
            direction: .outgoing,
            peer: builder.nodes[0].chainAddress,
            channelID: Bytes32(),
            domain: Bytes32(),
            channelEpoch: 1,
            ticketEpoch: 0,
            status: .open,
            rule: .vrf,
            balance: 1
        )
        builder.channels[9] = row
        let memory = builder.build()
        let snapshot = Snapshot(memory.region)
        #expect(snapshot.nodes[0].outgoing == 9 && snapshot.nodes[2].outgoing == 9)
        #expect(snapshot.nodes[1].outgoing == Snapshot.none)
        #expect(snapshot.nodes[0].incoming == Snapshot.none)
        #expect(snapshot.nodes[0].alias == 2 && snapshot.nodes[2].alias == 0)
        #expect(snapshot.nodes[1].alias == Snapshot.none)
        #expect(snapshot.channels.count == 10 && snapshot.channels[8].used == 0)
    }

    @Test func `a snapshot lives until every worker has left it`() {
        weak var first: Memory?
        let cell: SnapshotCell
        do {
            let memory = builder(1).build()
            first = memory
            cell = SnapshotCell(workers: 2, first: memory)
        }
        var readers = [cell.reader(worker: 0), cell.reader(worker: 1)]
        cell.publish(builder(2).build())
        #expect(first != nil)
        var counts = [readers[0].current().nodes.count]
        cell.reclaim()
        #expect(first != nil)
        counts.append(readers[1].current().nodes.count)
        cell.reclaim()
        #expect(first == nil)
        counts.append(readers[0].current().nodes.count)
        #expect(counts == [2, 2, 2])
    }

    @Test func `records come out as they went in, in order, around the end of the ring`() {
        var random = SeededGenerator("ring")
        let memory = Memory(RecordRing.byteCount(capacity: 1 << 10))
        var writer = RingWriter(memory.region)
        var reader = RingReader(memory.region)
        var queue: [(UInt32, [UInt8])] = []
        for _ in 0..<20_000 {
            if random.next() % 2 == 0 {
                let bytes = random.bytes(Int(random.next() % 200))
                let kind = UInt32(random.next() % 7 + 1)
                guard let record = writer.begin(kind: kind, bytes.count) else {
                    #expect(!queue.isEmpty)
                    continue
                }
                record.store(bytes: bytes, 0)
                writer.end()
                queue.append((kind, bytes))
            } else if let record = reader.next() {
                let (kind, bytes) = queue.removeFirst()
                #expect(reader.kind == kind && record.array == bytes)
                reader.release()
            } else {
                #expect(queue.isEmpty)
            }
        }
        let tooLong = writer.begin(kind: 1, 600)
        #expect(tooLong == nil)
    }

    @Test func `two threads pass words through a ring`() async {
        let memory = Memory(RecordRing.byteCount(capacity: 1 << 12))
        let region = memory.region
        async let sum: UInt64 = Task.detached {
            var reader = RingReader(region)
            var (next, sum): (UInt64, UInt64) = (0, 0)
            while next < 100_000 {
                guard let record = reader.next() else {
                    await Task.yield()
                    continue
                }
                let value: UInt64 = record.load(0)
                if value == next { sum += 1 }
                next += 1
                reader.release()
            }
            return sum
        }.value
        var writer = RingWriter(region)
        var value: UInt64 = 0
        while value < 100_000 {
            guard let record = writer.begin(kind: 1, 8 + Int(value % 5) * 8) else {
                await Task.yield()
                continue
            }
            record.store(value, 0)
            writer.end()
            value += 1
        }
        #expect(await sum == 100_000)
        withExtendedLifetime(memory) {}
    }

    @Test func `commands arrive as they were given`() throws {
        let memory = Memory(RecordRing.byteCount(capacity: 1 << 14))
        var writer = CommandWriter(memory.region)
        var reader = CommandReader(memory.region)
        var challenge = Bytes33()
        challenge[32] = 9
        var given = [
            writer.send(nextKeyID: 5, packet: [1, 2, 3], ackChallenge: challenge, mix: true)
        ]
        given.append(writer.send(nextKeyID: 6, packet: [4], ackChallenge: nil, mix: false))
        var key = Bytes32()
        key[0] = 7
        given.append(writer.acknowledge(keyID: 8, ackKey: key))
        #expect(given == [true, true, true])
        let firstFound = reader.next()
        let first = try #require(firstFound)
        #expect(first.isSend && first.keyID == 5 && first.mix && first.hasAckChallenge)
        #expect(first.ackChallenge == challenge && first.packet.array == [1, 2, 3])
        reader.release()
        let secondFound = reader.next()
        let second = try #require(secondFound)
        #expect(second.isSend && !second.mix && !second.hasAckChallenge)
        reader.release()
        let thirdFound = reader.next()
        let third = try #require(thirdFound)
        #expect(!third.isSend && third.keyID == 8 && third.ackKey == key)
        reader.release()
        let nothing = reader.next()
        #expect(nothing == nil)
    }

    @Test func `refused packets are noted by neighbour and reason, in bounded memory`() {
        let memory = Memory(Counters.byteCount)
        let board = Counters(memory.region).rejects
        for _ in 0..<3 { board.note(keyID: 7, .replay) }
        board.note(keyID: 7, .headerMac)
        board.note(keyID: .max, .sourceUnknown)
        let found = Set(board.entries.map { "\($0.keyID) \($0.reason) \($0.count)" })
        #expect(found == ["7 replay 3", "7 headerMac 1", "\(UInt32.max) sourceUnknown 1"])
        for keyID in 0..<10_000 { board.note(keyID: UInt32(keyID), .amountLow) }
        #expect(board.entries.count <= 512)
        #expect(board.entries.contains { $0.keyID == 7 && $0.reason == .replay && $0.count == 3 })
    }

    @Test func `the histogram's classes are at most seven per cent wide`() {
        let memory = Memory(Counters.byteCount)
        let counters = Counters(memory.region)
        var random = SeededGenerator("histogram")
        for _ in 0..<1_000 {
            let value = random.next() >> (random.next() % 60)
            memory.region.fill(0)
            counters.latency.add(value)
            let classes = counters.latency.classes
            #expect(classes.count == 1 && classes[0].nanos <= value)
            #expect(Double(value) <= Double(classes[0].nanos) * 1.0626 + 1)
        }
        memory.region.fill(0)
        for value in 1...100 { counters.latency.add(UInt64(value)) }
        #expect(Histogram.quantile(0.5, of: counters.latency.classes) == 50)
        #expect(Histogram.quantile(1, of: counters.latency.classes) >= 96)
        #expect(Histogram.quantile(0.5, of: []) == 0)
        withExtendedLifetime(memory) {}
    }
}
