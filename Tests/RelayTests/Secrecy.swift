import Bytes
import Crypto
import Datapath
import Exchange
import Sphinx
import TestSupport
import Testing

/// Known plaintexts, and whether datagrams show any of them.
struct KnownTexts {
    /// Every eight bytes in a row of every text.
    private var words: Set<UInt64> = []

    mutating func add(_ text: [UInt8]) {
        guard text.count >= 8 else { return }
        var word: UInt64 = 0
        for (index, byte) in text.enumerated() {
            word = word << 8 | UInt64(byte)
            if index >= 7 { words.insert(word) }
        }
    }

    /// True if behind its head the datagram shows fifteen bytes in a row of a text: those hold a
    /// whole word of the datagram.
    func shows(_ datagram: [UInt8]) -> Bool {
        stride(from: 16, through: datagram.count - 8, by: 8).contains {
            words.contains(Self.word(datagram, $0))
        }
    }

    private static func word(_ bytes: [UInt8], _ start: Int) -> UInt64 {
        (start..<start + 8).reduce(0) { $0 << 8 | UInt64(bytes[$1]) }
    }

    /// What a crowd has to hide: keys, and what is said of packets.
    init(_ crowd: LinkCrowd) {
        for node in crowd.nodes {
            add(node.packetKey.publicKey.array)
            add(X25519.publicKey(ofPacketKey: node.packetKey.publicKey)?.array ?? [])
            add(node.packetKey.scalar.array)
            add(node.packetKey.signingKey.array)
            add(node.chainKey.secretScalar.array)
            add(node.chainKey.address.array)
            add(node.domain.array)
        }
        for station in crowd.stations {
            for report in station.told.prefix(200) {
                switch report {
                case .unlocked(_, let ticket, let response, _):
                    add(ticket)
                    add(response.array)
                case .delivery(let delivery):
                    add(delivery.ackKey.array)
                    add(delivery.payload)
                default: continue
                }
            }
        }
        add([UInt8](repeating: 0, count: 32))
    }
}

/// Nothing that the crowd knows shows in datagrams, heads apart.
func expectHidden(
    _ datagrams: [[UInt8]],
    secrets crowd: LinkCrowd,
    texts: [[UInt8]] = []
) {
    var known = KnownTexts(crowd)
    for text in texts { known.add(text) }
    let seen = datagrams.filter { known.shows($0) }.count
    #expect(seen == 0, "\(seen) of \(datagrams.count) datagrams")
    // It would be found.
    if var bad = datagrams.last {
        bad.replaceSubrange(101..<133, with: crowd.nodes[0].packetKey.publicKey.array)
        #expect(known.shows(bad))
    }
}

/// Behind their heads, datagrams are what chance would make of them: at each place all bytes are
/// equally likely, and no block of sixteen bytes comes twice.
func expectRandom(_ datagrams: [[UInt8]]) {
    guard let bytes = datagrams.first?.count, datagrams.count >= 5 * 256 else {
        Issue.record("too few datagrams")
        return
    }
    let expected = Double(datagrams.count) / 256
    let bound = chiSquareBound(degrees: 255)
    for place in 16..<bytes {
        var counts = [Int](repeating: 0, count: 256)
        for datagram in datagrams { counts[Int(datagram[place])] += 1 }
        let sum = counts.reduce(0.0) { $0 + (Double($1) - expected) * (Double($1) - expected) }
        #expect(sum / expected < bound, "place \(place): \(sum / expected)")
    }
    var blocks: Set<Bytes16> = []
    var count = 0
    for datagram in datagrams {
        for start in stride(from: 16, through: bytes - 16, by: 16) {
            var block = Bytes16()
            for index in 0..<16 { block[index] = datagram[start + index] }
            blocks.insert(block)
            count += 1
        }
    }
    #expect(blocks.count == count)
}

/// What chi-square exceeds once in a thousand million cases: with some 1,400 places the test as a
/// whole fails by chance about once in a million seeds (approximation of Wilson and Hilferty 1931).
func chiSquareBound(degrees: Double) -> Double {
    let z = 6.0
    let spread = 2 / (9 * degrees)
    let root = 1 - spread + z * spread.squareRoot()
    return degrees * root * root * root
}
