internal import Bytes
internal import Crypto

extension Configuration {
    /// Largest file read.
    static let fileLimit = 1 << 20
    /// Longest path of a unix socket.
    static let socketPathLimit = 107

    /// Reads a file; every path in it is taken from the file's folder.
    public static func load(_ path: String) throws(ConfigurationErrors) -> Configuration {
        let text: [UInt8]
        do throws(SystemError) {
            text = try Files.read(path, limit: fileLimit)
        } catch {
            throw ConfigurationErrors(issues: [
                ConfigurationIssue(file: path, line: 0, key: "", reason: error.reason)
            ])
        }
        return try parse(text, file: path)
    }

    /// Parses the text of a file; `file` is for messages and relative paths.
    public static func parse(
        _ text: [UInt8],
        file: String
    ) throws(ConfigurationErrors) -> Configuration {
        var reader = try ConfigurationReader(file: file, text: text)
        let result = read(&reader, file: file)
        try reader.finish()
        return result
    }

    /// Takes every key there is out of the document; what is wrong stays with the reader.
    static func read(_ reader: inout ConfigurationReader, file: String) -> Configuration {
        let folder = Paths.parent(file)
        var result = Configuration()
        result.file = file
        result.node = readNode(&reader, folder)
        result.ledgerSocket = socketPath(
            &reader,
            "ledger.socket",
            Paths.resolve(reader.required("ledger.socket"), in: folder)
        )
        result.packet = readPacket(&reader)
        result.workers = readWorkers(&reader)
        result.links = readLinks(&reader)
        result.mixing = readMixing(&reader)
        result.replay.tags = reader.integer(
            "replay.tags",
            result.replay.tags,
            in: 1_024...(1 << 34)
        )
        result.tables = readTables(&reader)
        result.acknowledgements = readAcknowledgements(&reader)
        result.tickets = readTickets(&reader)
        result.entry = readEntry(&reader)
        result.exit = readExit(&reader)
        return result
    }

    private static func readNode(_ reader: inout ConfigurationReader, _ folder: String) -> Node {
        var node = Node()
        node.data = Paths.resolve(reader.required("node.data"), in: folder)
        node.keys = Paths.resolve(reader.required("node.keys"), in: folder)
        node.passphraseFile = reader.string("node.passphrase_file").map {
            Paths.resolve($0, in: folder)
        }
        let listen = numericAddress(&reader, "node.listen")
        node.listen = listen ?? node.listen
        if !reader.has("node.listen") { reader.report("node.listen", "is missing") }
        node.announce = numericAddress(&reader, "node.announce")
        if let listen, isAnyAddress(listen.host), !reader.has("node.announce") {
            reader.report("node.announce", "is needed because node.listen is the any-address")
        }
        // The default is in the data folder, which is resolved already.
        let socket = reader.string("node.admin_socket").map { Paths.resolve($0, in: folder) }
        node.adminSocket = socketPath(
            &reader,
            "node.admin_socket",
            socket ?? "\(node.data)/admin.sock"
        )
        let level = reader.choice("node.log", "info", of: LogLevel.allCases.map(\.rawValue))
        node.logLevel = LogLevel(rawValue: level) ?? .info
        node.stopWaitSeconds = reader.integer(
            "node.stop_wait_s",
            node.stopWaitSeconds,
            in: 0...3_600
        )
        return node
    }

    private static func readPacket(_ reader: inout ConfigurationReader) -> Packet {
        var packet = Packet()
        packet.profile = reader.choice("packet.profile", "head", of: ["head", "v4", "mix13"])
        packet.payloadBytes = reader.optionalInteger("packet.payload_bytes", in: 512...8_192)
        packet.surbBytes = reader.optionalInteger("packet.surb_bytes", in: 395...402)
        if let surb = packet.surbBytes, ![395, 401, 402].contains(surb) {
            reader.report("packet.surb_bytes", "\(surb) is not one of 395, 401, 402")
        }
        packet.ticketSelector = reader.hex("packet.ticket_selector", count: 4)
        return packet
    }

    private static func readWorkers(_ reader: inout ConfigurationReader) -> Workers {
        var workers = Workers()
        workers.count = reader.integer("workers.count", workers.count, in: 1...64)
        workers.pin = reader.integers("workers.pin", in: 0...1_023)
        if !workers.pin.isEmpty && workers.pin.count != workers.count {
            reader.report(
                "workers.pin",
                "names \(workers.pin.count) processors for \(workers.count) workers"
            )
        }
        let buffers = reader.integer(
            "workers.receive_buffers",
            workers.receiveBuffers,
            in: 16...4_096
        )
        if buffers & (buffers - 1) != 0 {
            reader.report("workers.receive_buffers", "\(buffers) is no power of two")
        }
        workers.receiveBuffers = buffers
        workers.socketBufferKiB = reader.integer(
            "workers.socket_buffer_kib",
            workers.socketBufferKiB,
            in: 64...1_048_576
        )
        workers.neighbourRate = reader.integer(
            "workers.neighbour_rate",
            workers.neighbourRate,
            in: 0...100_000_000
        )
        return workers
    }

    private static func readLinks(_ reader: inout ConfigurationReader) -> Links {
        var links = Links()
        links.datagramBytes = reader.integer(
            "links.datagram_bytes",
            links.datagramBytes,
            in: 0...8_952
        )
        if links.datagramBytes != 0, links.datagramBytes < 1_232 {
            reader.report(
                "links.datagram_bytes",
                "\(links.datagramBytes) is neither 0, for what the path takes, nor 1232 to 8952"
            )
        }
        links.peers = reader.integer("links.peers", links.peers, in: 16...65_536)
        let backend = reader.choice(
            "links.backend",
            links.backend.rawValue,
            of: Links.Backend.allCases.map(\.rawValue)
        )
        links.backend = Links.Backend(rawValue: backend) ?? links.backend
        links.segmentation = reader.boolean("links.segmentation", links.segmentation)
        links.coalescing = reader.boolean("links.coalescing", links.coalescing)
        links.constantRate = reader.integer(
            "links.constant_rate",
            links.constantRate,
            in: 0...100_000
        )
        return links
    }

    private static func readMixing(_ reader: inout ConfigurationReader) -> Mixing {
        var mixing = Mixing()
        let kind = reader.choice("mixing.kind", "uniform", of: ["uniform", "exponential", "none"])
        let most = reader.number("mixing.max_ms", kind == "uniform" ? 20 : 1_000, in: 0...10_000)
        let mean = reader.number("mixing.mean_ms", 10, in: 0.01...10_000)
        if kind != "exponential", reader.has("mixing.mean_ms") {
            reader.report("mixing.mean_ms", "is for exponential only")
        }
        switch kind {
        case "exponential":
            if mean > most { reader.report("mixing.mean_ms", "is above mixing.max_ms") }
            mixing.delay = .exponential(
                meanMicros: Int(mean * 1_000),
                maxMicros: Int(most * 1_000)
            )
        case "none": mixing.delay = .none
        default: mixing.delay = .uniform(maxMicros: Int(most * 1_000))
        }
        mixing.capacity = reader.integer("mixing.capacity", mixing.capacity, in: 64...32_768)
        return mixing
    }

    private static func readTables(_ reader: inout ConfigurationReader) -> Tables {
        var tables = Tables()
        tables.issuersMiB = reader.integer(
            "tables.issuers_mib",
            tables.issuersMiB,
            in: 0...65_536
        )
        tables.neighboursMiB = reader.integer(
            "tables.neighbours_mib",
            tables.neighboursMiB,
            in: 0...65_536
        )
        return tables
    }

    private static func readAcknowledgements(
        _ reader: inout ConfigurationReader
    ) -> Acknowledgements {
        var acks = Acknowledgements()
        acks.waitMillis = reader.integer(
            "acknowledgements.wait_ms",
            acks.waitMillis,
            in: 1...10_000
        )
        acks.ttlSeconds = reader.integer("acknowledgements.ttl_s", acks.ttlSeconds, in: 1...300)
        if acks.waitMillis >= acks.ttlSeconds * 1_000 {
            reader.report("acknowledgements.wait_ms", "is not shorter than acknowledgements.ttl_s")
        }
        return acks
    }

    private static func readTickets(_ reader: inout ConfigurationReader) -> Tickets {
        var tickets = Tickets()
        tickets.price = reader.amount("tickets.price", tickets.price)
        tickets.minimumAmount = reader.amount("tickets.minimum_amount", tickets.minimumAmount)
        tickets.winProbability = reader.number(
            "tickets.win_probability",
            tickets.winProbability,
            in: 1e-6...1
        )
        tickets.minimumWinProbability = reader.number(
            "tickets.minimum_win_probability",
            tickets.minimumWinProbability,
            in: 0...1
        )
        tickets.unacknowledged = reader.integer(
            "tickets.unacknowledged",
            tickets.unacknowledged,
            in: 64...(1 << 28)
        )
        tickets.redeemSeconds = reader.integer(
            "tickets.redeem_s",
            tickets.redeemSeconds,
            in: 0...86_400
        )
        let nonces = reader.choice(
            "tickets.nonces",
            tickets.nonces.rawValue,
            of: NonceRule.allCases.map(\.rawValue)
        )
        tickets.nonces = NonceRule(rawValue: nonces) ?? tickets.nonces
        tickets.selfCheck = reader.boolean("tickets.self_check", tickets.selfCheck)
        return tickets
    }

    private static func readEntry(_ reader: inout ConfigurationReader) -> Entry {
        var entry = Entry()
        if let bytes = reader.hex("entry.exit", count: 20) { entry.exit = Hex.encode(bytes) }
        entry.replyBlocks = reader.integer("entry.reply_blocks", entry.replyBlocks, in: 2...10_000)
        entry.flows = reader.integer("entry.flows", entry.flows, in: 1...65_536)
        entry.idleSeconds = reader.integer("entry.idle_s", entry.idleSeconds, in: 1...86_400)
        return entry
    }

    private static func readExit(_ reader: inout ConfigurationReader) -> Exit {
        var exit = Exit()
        for (text, key) in reader.strings("exit.targets") {
            if let target = HostPort(text), target.port != 0 {
                exit.targets.append(target)
            } else {
                reader.report(key, "\"\(text)\" is not HOST:PORT")
            }
        }
        exit.flows = reader.integer("exit.flows", exit.flows, in: 1...1_048_576)
        exit.flowsPerSender = reader.integer(
            "exit.flows_per_sender",
            exit.flowsPerSender,
            in: 1...65_536
        )
        exit.flowRate = reader.integer("exit.flow_rate", exit.flowRate, in: 1...1_000_000)
        exit.idleSeconds = reader.integer("exit.idle_s", exit.idleSeconds, in: 1...86_400)
        return exit
    }

    private static func numericAddress(
        _ reader: inout ConfigurationReader,
        _ key: String
    ) -> HostPort? {
        guard let text = reader.string(key) else { return nil }
        guard let address = HostPort(text), NumericAddress.family(address.host) != nil else {
            reader.report(
                key,
                "\"\(text)\" is not an address like 192.0.2.1:9091 or [2001:db8::1]:9091"
            )
            return nil
        }
        if address.port == 0 { reader.report(key, "needs a port from 1 to 65535") }
        return address
    }

    private static func isAnyAddress(_ host: String) -> Bool { host == "0.0.0.0" || host == "::" }

    private static func socketPath(
        _ reader: inout ConfigurationReader,
        _ key: String,
        _ full: String
    ) -> String {
        if full.utf8.count > socketPathLimit {
            reader.report(
                key,
                "the path of a unix socket may have at most \(socketPathLimit) bytes"
            )
        }
        return full
    }
}
