internal import Sphinx

/// What a vector file holds, by its name.
enum Kind {
    case packet(Geometry)
    case ackPackets(Geometry)
    case negative(Geometry)
    case primitives(Geometry)
    case commitment

    init?(fileName: String) {
        let last = fileName.split(separator: "/").last ?? ""
        let name = last.hasSuffix(".json") ? last.dropLast(5) : last
        if name.hasPrefix("commitment") {
            self = .commitment
            return
        }
        for (prefix, kind) in Kind.prefixes where name.hasPrefix(prefix) {
            let rest = name.dropFirst(prefix.count)
            let profile = rest.prefix { $0 != "-" }
            guard let geometry = Geometry(named: profile) else { return nil }
            self = kind(geometry)
            return
        }
        return nil
    }

    private static let prefixes: [(String, @Sendable (Geometry) -> Kind)] = [
        ("packet-", { .packet($0) }), ("ack-packets-", { .ackPackets($0) }),
        ("negative-", { .negative($0) }), ("primitives-", { .primitives($0) }),
    ]

    func check(_ file: Field) {
        switch self {
        case .packet(let geometry):
            PacketCheck(file["profile"].geometry(geometry)).check(file["case"])
        case .ackPackets(let geometry):
            let check = AckPacketCheck(file["profile"].geometry(geometry))
            for item in file["cases"].items { check.check(item) }
        case .negative(let geometry):
            NegativeCheck(file["profile"].geometry(geometry)).check(file["set"])
        case .primitives(let geometry):
            PrimitiveCheck(file["profile"].geometry(geometry)).check(file["vectors"])
        case .commitment:
            for item in file["cases"].items { CommitmentCheck(item).check() }
        }
    }
}

extension Field {
    /// Compares the sizes that a file states with those of its profile.
    fileprivate func geometry(_ named: Geometry) -> Geometry {
        var geometry = named
        if let size = self["surb"].integer() {
            self["surb"].expect(size == 395 || size == 401 || size == 402, "no SURB size")
            if size == 395 || size == 401 || size == 402 {
                geometry = named.with(surbBytes: size)
            }
        }
        self["payload_block"].equals(geometry.payloadBytes)
        self["meta_packet"].equals(geometry.ticketOffset)
        self["ticket"].equals(Geometry.ticketBytes)
        self["packet"].equals(geometry.packetBytes)
        self["max_message"].equals(geometry.messageBytesMax)
        self["redeem_selector"].equals(bigEndian(UInt64(geometry.ticketSelector), 4))
        return geometry
    }
}

/// The low `count` bytes of a number, most significant first.
func bigEndian(_ value: UInt64, _ count: Int) -> [UInt8] {
    (0..<count).reversed().map { UInt8(truncatingIfNeeded: value >> UInt64(8 * $0)) }
}
