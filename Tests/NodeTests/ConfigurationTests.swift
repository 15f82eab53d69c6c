import Testing

@testable import Node

private let good = """
    [node]
    data = "data"
    keys = "/keys"
    listen = "127.0.0.1:9000"

    [ledger]
    socket = "ledger.sock"

    """

private func parse(_ text: String) throws -> Configuration {
    try Configuration.parse(Array(text.utf8), file: "/etc/dray/dray.toml")
}

/// The issues of a text as lines.
private func issues(_ text: String) -> [String] {
    do {
        _ = try parse(text)
        return []
    } catch let error as ConfigurationErrors {
        return error.issues.map(\.description)
    } catch {
        return ["\(error)"]
    }
}

@Suite struct MemoryTests {
    @Test func `a configuration that the machine has no memory for is refused`() throws {
        var configuration = try parse(good)
        configuration.replay.tags = 1 << 30
        let geometry = try Startup.geometry(configuration.packet)
        let bytes = PacketThreads.byteCount(configuration, geometry)
        // Two keys' replay sets of 4.3 bytes each tag.
        #expect(bytes > 8 << 30)
        try Startup.memory(configuration, geometry, available: 2 * bytes)
        try Startup.memory(configuration, geometry, available: nil)
        let refusal = #expect(throws: StartError.self) {
            try Startup.memory(configuration, geometry, available: bytes)
        }
        #expect(refusal?.code == 2)
        #expect(refusal?.description.contains("MiB are free; workers.count,") == true)
    }

    @Test func `every part that is configured takes memory`() throws {
        let small = try parse(good)
        let geometry = try Startup.geometry(small.packet)
        let changes: [(inout Configuration) -> Void] = [
            { $0.workers.count = 2 }, { $0.workers.receiveBuffers = 256 },
            { $0.mixing.capacity = 30_000 }, { $0.links.peers = 2_048 },
            { $0.replay.tags = 1 << 25 }, { $0.tickets.unacknowledged = 524_288 },
        ]
        for change in changes {
            var larger = small
            change(&larger)
            let (before, after) = (
                PacketThreads.byteCount(small, geometry),
                PacketThreads.byteCount(larger, geometry)
            )
            #expect(after > before)
        }
    }

    @Test func `free memory is the machine's, or the group's if that is less`() {
        let machine = "MemTotal:       24689764 kB\nMemAvailable:   1000 kB\nBuffers: 5 kB\n"
        #expect(FreeMemory.least(machine: machine, limit: nil, used: nil) == 1_024_000)
        #expect(FreeMemory.least(machine: machine, limit: "max\n", used: "7\n") == 1_024_000)
        #expect(FreeMemory.least(machine: machine, limit: "5000\n", used: "1000\n") == 4_000)
        #expect(FreeMemory.least(machine: machine, limit: "5000\n", used: "6000\n") == 0)
        #expect(FreeMemory.least(machine: "MemAvailable: kB", limit: nil, used: nil) == nil)
        #expect(FreeMemory.bytes.map { $0 > 0 } != false)
    }
}

@Suite struct ConfigurationTests {
    @Test func `a short file is enough, and paths start at its folder`() throws {
        let configuration = try parse(good)
        #expect(configuration.node.data == "/etc/dray/data")
        #expect(configuration.node.keys == "/keys")
        #expect(configuration.node.adminSocket == "/etc/dray/data/admin.sock")
        #expect(configuration.ledgerSocket == "/etc/dray/ledger.sock")
        #expect(configuration.node.listen == HostPort(host: "127.0.0.1", port: 9000))
        #expect(configuration.mixing.delay == .uniform(maxMicros: 20_000))
        #expect(configuration.packet.profile == "head")
    }

    @Test func `a relative folder is named once`() throws {
        let configuration = try Configuration.parse(Array(good.utf8), file: "etc/dray.toml")
        #expect(configuration.node.data == "etc/data")
        #expect(configuration.node.adminSocket == "etc/data/admin.sock")
        #expect(configuration.ledgerSocket == "etc/ledger.sock")
    }

    @Test func `a missing key is reported at its section, or at the first line`() {
        #expect(
            issues("\n[node]\ndata = \"d\"\nkeys = \"k\"\n") == [
                "/etc/dray/dray.toml:1: ledger.socket: is missing",
                "/etc/dray/dray.toml:2: node.listen: is missing",
            ]
        )
    }

    @Test func `an unknown key gets a suggestion`() {
        #expect(
            issues(good + "[mixing]\nkidn = \"uniform\"\n") == [
                "/etc/dray/dray.toml:9: mixing.kidn: unknown key; did you mean \"mixing.kind\"?"
            ]
        )
    }

    @Test func `an unknown section is reported once`() {
        #expect(
            issues(good + "[mixnig]\nkind = \"uniform\"\nmin_ms = 1\n") == [
                "/etc/dray/dray.toml:8: mixnig: unknown key; did you mean \"mixing\"?"
            ]
        )
    }

    @Test func `a key that resembles nothing gets no suggestion`() {
        #expect(
            issues(good + "[zzzzzz]\n") == ["/etc/dray/dray.toml:8: zzzzzz: unknown key"]
        )
    }

    @Test func `a syntax error has its line`() {
        let found = issues(good + "[workers\n")
        #expect(found.count == 1)
        #expect(found.first?.hasPrefix("/etc/dray/dray.toml:8: ") == true)
    }

    @Test(
        arguments: [
            ("[workers]\ncount = 0", "9: workers.count: 0 is not between 1 and 64"),
            ("[workers]\ncount = \"two\"", "9: workers.count: is not a whole number"),
            ("[workers]\npin = [0, 1]", "9: workers.pin: names 2 processors for 1 workers"),
            ("[workers]\npin = [5000]", "9: workers.pin[0]: 5000 is not between 0 and 1023"),
            (
                "[workers]\nreceive_buffers = 100",
                "9: workers.receive_buffers: 100 is no power of two"
            ),
            (
                "[packet]\nprofile = \"haed\"",
                "9: packet.profile: \"haed\" is not one of head, v4, mix13; did you mean \"head\"?"
            ),
            (
                "[packet]\nsurb_bytes = 400",
                "9: packet.surb_bytes: 400 is not one of 395, 401, 402"
            ),
            (
                "[packet]\nticket_selector = \"0x12\"",
                "9: packet.ticket_selector: is not 4 bytes in hexadecimal"
            ),
            (
                "[links]\ndatagram_bytes = 1000",
                "9: links.datagram_bytes: 1000 is neither 0, for what the path takes, nor 1232 to "
                    + "8952"
            ),
            (
                "[links]\ndatagram_bytes = 9000",
                "9: links.datagram_bytes: 9000 is not between 0 and 8952"
            ),
            ("[links]\npeers = 1", "9: links.peers: 1 is not between 16 and 65536"),
            (
                "[links]\nbackend = \"epoll\"",
                "9: links.backend: \"epoll\" is not one of auto, uring, syscalls"
            ),
            ("[links]\nsegmentation = 1", "9: links.segmentation: is not true or false"),
            (
                "[links]\nconstant_rate = -1",
                "9: links.constant_rate: -1 is not between 0 and 100000"
            ),
            (
                "[links]\nconstant_rate = 100001",
                "9: links.constant_rate: 100001 is not between 0 and 100000"
            ),
            ("[links]\nconstant_rate = 1.5", "9: links.constant_rate: is not a whole number"),
            (
                "[links]\nconstant_rat = 1",
                "9: links.constant_rat: unknown key; did you mean \"links.constant_rate\"?"
            ),
            ("[mixing]\nmax_ms = -1", "9: mixing.max_ms: -1.0 is not between"),
            ("[mixing]\nmean_ms = 3", "9: mixing.mean_ms: is for exponential only"),
            (
                "[mixing]\nkind = \"exponential\"\nmean_ms = 30\nmax_ms = 20",
                "10: mixing.mean_ms: is above mixing.max_ms"
            ),
            ("[replay]\ntags = 1", "9: replay.tags: 1 is not between 1024 and 17179869184"),
            (
                "[tables]\nissuers_mib = -1",
                "9: tables.issuers_mib: -1 is not between 0 and 65536"
            ),
            (
                "[tables]\nneighbours_mib = 65537",
                "9: tables.neighbours_mib: 65537 is not between 0 and 65536"
            ),
            ("[tables]\nissuers_mib = 1.5", "9: tables.issuers_mib: is not a whole number"),
            (
                "[acknowledgements]\nwait_ms = 2000\nttl_s = 1",
                "9: acknowledgements.wait_ms: is not shorter than acknowledgements.ttl_s"
            ),
            ("[tickets]\nprice = -1", "9: tickets.price: is not an amount: "),
            (
                "[tickets]\nprice = \"10000000000000000000000000\"",
                "9: tickets.price: 10000000000000000000000000 is not below 10^25"
            ),
            ("[tickets]\nwin_probability = 1.5", "9: tickets.win_probability: 1.5 is not between"),
            (
                "[tickets]\nnonces = \"hegded\"",
                "9: tickets.nonces: \"hegded\" is not one of rfc6979, hedged; did you mean "
                    + "\"hedged\"?"
            ),
            ("[tickets]\nnonces = 6979", "9: tickets.nonces: is not a string"),
            ("[tickets]\nself_check = 1", "9: tickets.self_check: is not true or false"),
            ("[exit]\ntargets = [\"a\"]", "9: exit.targets[0]: \"a\" is not HOST:PORT"),
            ("[exit]\ntargets = \"a:1\"", "9: exit.targets: is not a list"),
            ("[exit]\ntargets = [\"a:1\", 7]", "9: exit.targets[1]: is not a string"),
        ])
    func `a wrong value is named with its line`(text: String, expected: String) {
        let found = issues(good + text + "\n")
        #expect(found.count == 1)
        #expect(found.first?.hasPrefix("/etc/dray/dray.toml:\(expected)") == true, "\(found)")
    }

    @Test func `addresses are numbers with a port, and the any-address needs another to announce`()
    {
        let start = "[ledger]\nsocket = \"s\"\n[node]\ndata = \"d\"\nkeys = \"k\"\n"
        #expect(issues(start + "listen = \"[::1]:9\"\n").isEmpty)
        #expect(issues(start + "listen = \"0.0.0.0:9\"\nannounce = \"192.0.2.1:9\"\n").isEmpty)
        #expect(
            issues(start + "listen = \"0.0.0.0:9\"\n").first?.hasSuffix(
                "node.announce: is needed because node.listen is the any-address"
            ) == true
        )
        for wrong in ["localhost:9", "1.2.3.4", "1.2.3.4:70000", "::1:9", "1.2.3.4:0", ""] {
            let found = issues(start + "listen = \"\(wrong)\"\n")
            #expect(found.count == 1 && found[0].contains(":6: node.listen: "), "\(found)")
        }
    }

    @Test func `everything wrong is listed, in the order of lines`() {
        let text = "[node]\nkeys = 1\nlisten = \"x\"\n[tickets]\nprice = true\n[ledger]\n"
        let lines = issues(text).map { $0.split(separator: ":")[1] }
        #expect(lines == ["1", "2", "3", "5", "6"])
    }

    @Test func `a large amount is written as a string`() throws {
        let text = good + "[tickets]\nprice = \"9000000000000000000000000\"\n"
        #expect(try parse(text).tickets.price == 9_000_000_000_000_000_000_000_000)
    }

    @Test func `nonces are those of RFC 6979 and tickets unchecked unless asked for`() throws {
        #expect(try parse(good).tickets.nonces == .rfc6979)
        #expect(try !parse(good).tickets.selfCheck)
        let text = good + "[tickets]\nnonces = \"hedged\"\nself_check = true\n"
        #expect(try parse(text).tickets.nonces == .hedged)
        #expect(try parse(text).tickets.selfCheck)
    }

    @Test func `a socket path longer than the system allows is refused`() {
        let long = String(repeating: "x", count: 120)
        let text = good.replacing("ledger.sock", with: long)
        #expect(issues(text).first?.contains(":7: ledger.socket: ") == true)
    }

    @Test func `the example has every key, each at its default`() throws {
        let example = try parse(Configuration.example)
        let least = """
            [node]
            data = "/var/lib/dray"
            keys = "keys"
            passphrase_file = "passphrase"
            listen = "192.0.2.17:9091"
            announce = "192.0.2.17:9091"
            [ledger]
            socket = "/var/lib/dray-ledger/ledger.sock"
            """
        #expect("\(example)" == "\(try parse(least))")
        // With the optional ones uncommented it names all keys that there are.
        let all = Configuration.example
            .replacing("# payload", with: "payload").replacing("# surb", with: "surb")
            .replacing("# ticket_sel", with: "ticket_sel").replacing("# mean", with: "mean")
            .replacing("# exit = \"0x…\"", with: "exit = \"\(String(repeating: "0", count: 40))\"")
            .replacing("kind = \"uniform\"", with: "kind = \"exponential\"")
        var reader = try ConfigurationReader(file: "x", text: Array(all.utf8))
        _ = try parse(all)
        _ = Configuration.read(&reader, file: "x")
        #expect(reader.missing.isEmpty, "\(reader.missing)")
    }
}
