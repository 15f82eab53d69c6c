import Bytes
import Chain
import Crypto
import Exchange
import JSON
import Node

/// The demo's processes: a ledger, a DNS server, an entry, three relays, an exit.
struct DemoNetwork {
    /// A node of the demo.
    struct Member {
        let name: String
        let folder: String
        let port: UInt16
        let address: Address
        let isPayee: Bool

        var config: String { "\(folder)/dray.toml" }
        var adminSocket: String { "\(folder)/data/admin.sock" }
    }

    /// What each new account gets.
    static let grant: UInt128 = 1_000_000_000
    /// What is put into each channel.
    static let deposit: UInt128 = 100_000_000
    /// Price of a packet and a hop.
    static let price: UInt128 = 100

    let folder: String
    let tunnelPort: UInt16
    let dnsPort: UInt16
    private(set) var members: [Member] = []
    private(set) var children: [Child] = []
    private let program = Child.ourselves
    private let signals: Signals

    /// Makes keys and configurations in a new folder; starts nothing yet.
    init(winProbability: Double, signals: Signals) throws(Failure) {
        self.signals = signals
        var ports = try Self.freePorts(7)
        tunnelPort = ports.removeFirst()
        dnsPort = ports.removeFirst()
        do throws(SystemError) {
            folder = try Files.makeTemporaryFolder("dray-demo")
        } catch {
            throw .failed(error.description)
        }
        for (index, name) in ["entry", "relay1", "relay2", "relay3", "exit"].enumerated() {
            do throws(Failure) {
                members.append(try make(name, ports[index], winProbability))
            } catch {
                Files.removeTree(folder)
                throw error
            }
        }
    }

    /// The relays: those who are to earn.
    var relays: [Member] { members.filter(\.isPayee) }

    private var ledgerSocket: String { "\(folder)/ledger/ledger.sock" }

    /// The ledger, for questions.
    var ledger: LedgerClient { LedgerClient(socket: ledgerSocket) }

    // MARK: making

    private static func freePorts(_ count: Int) throws(Failure) -> [UInt16] {
        do throws(SystemError) {
            var sockets: [UDPSocket] = []
            for _ in 0..<count {
                sockets.append(
                    try UDPSocket(bind: Endpoint(ipv4: 127, 0, 0, 1, port: 0))
                )
            }
            return sockets.map(\.port)
        } catch {
            throw .failed(error.description)
        }
    }

    private func make(
        _ name: String,
        _ port: UInt16,
        _ winProbability: Double
    ) throws(Failure) -> Member {
        let home = "\(folder)/\(name)"
        let passphrase = Hex.encode(Random.bytes(16))
        let identity: Keystore.Identity
        do throws(SystemError) {
            try Files.makeFolder(home)
            try Files.create("\(home)/passphrase", Array(passphrase.utf8))
            let text = configuration(name, port, winProbability)
            try Files.create("\(home)/dray.toml", Array(text.utf8))
        } catch {
            throw .failed(error.description)
        }
        do throws(KeystoreError) {
            // Keys that live for a minute need no expensive lock.
            identity = try Keystore("\(home)/keys", cost: .least)
                .create(passphrase: SecretBytes(Array(passphrase.utf8)))
        } catch {
            throw Failure(error)
        }
        return Member(
            name: name,
            folder: home,
            port: port,
            address: identity.chainKey.address,
            isPayee: name.hasPrefix("relay")
        )
    }

    private func configuration(
        _ name: String,
        _ port: UInt16,
        _ winProbability: Double
    ) -> String {
        """
        [node]
        data = "data"
        keys = "keys"
        passphrase_file = "passphrase"
        listen = "127.0.0.1:\(port)"
        log = "info"

        [ledger]
        socket = "\(ledgerSocket)"

        [workers]
        count = 1

        [replay]
        tags = 1048576

        [tickets]
        price = \(Self.price)
        win_probability = \(winProbability)
        minimum_win_probability = \(winProbability)
        redeem_s = 1
        \(name == "exit" ? "\n[exit]\ntargets = [\"127.0.0.1:\(dnsPort)\"]\n" : "")
        """
    }

    // MARK: starting

    /// Starts everything in order and opens the channels.
    mutating func start(hops: Int, dnsServer: String, say: (String) -> Void) throws(Failure) {
        say("starting a DNS server")
        try launch("dns", dnsArguments, program: dnsServer)
        say("starting the ledger")
        try makeFolder("\(folder)/ledger")
        try launch(
            "ledger",
            [
                "ledger", "serve", "--data", "\(folder)/ledger", "--socket", ledgerSocket,
                "--grant", "\(Self.grant)", "--supply", "\(100 * Self.grant)", "--notice-s", "1",
            ]
        )
        try wait("the ledger") { (try? ledger.status()) != nil }
        for member in members.reversed() where member.name != "entry" {
            say("starting \(member.name)")
            try launch(member.name, ["run", "--config", member.config])
        }
        say("starting entry")
        try launch("entry", entryArguments(hops: hops))
        for member in members {
            try wait(member.name) {
                (try? AdminClient.ask(.status, socket: member.adminSocket)) != nil
            }
        }
        say("opening channels")
        try openChannels()
    }

    /// Answers every name under demo.test alike, asks nobody, writes nothing, and stays the user it
    /// is: a change of user would make it outlive us if we are killed.
    private var dnsArguments: [String] {
        [
            "--no-daemon", "--conf-file=/dev/null", "--no-resolv", "--no-hosts",
            "--port=\(dnsPort)", "--listen-address=127.0.0.1", "--bind-interfaces",
            "--cache-size=0", "--address=/demo.test/192.0.2.53",
        ]
    }

    private func entryArguments(hops: Int) -> [String] {
        guard let entry = members.first, let exit = members.last else { return [] }
        return [
            "tunnel", "--config", entry.config, "--listen", "127.0.0.1:\(tunnelPort)",
            "--to", "127.0.0.1:\(dnsPort)", "--exit", "0x\(exit.address.hex)", "--hops", "\(hops)",
        ]
    }

    private func makeFolder(_ path: String) throws(Failure) {
        do throws(SystemError) {
            try Files.makeFolder(path)
        } catch {
            throw .failed(error.description)
        }
    }

    private mutating func launch(
        _ name: String,
        _ arguments: [String],
        program: String? = nil
    ) throws(Failure) {
        do throws(SystemError) {
            children.append(
                try Child(
                    name: name,
                    program ?? self.program,
                    arguments,
                    log: "\(folder)/\(name).log"
                )
            )
        } catch {
            throw .failed(error.description)
        }
    }

    /// Everybody pays every relay: any order of relays is a path.
    private func openChannels() throws(Failure) {
        var expected = 0
        for member in members {
            for relay in relays where relay.address != member.address {
                let request = AdminRequest.openChannel(to: relay.address, amount: Self.deposit)
                do throws(AdminClientError) {
                    _ = try AdminClient.ask(request, socket: member.adminSocket)
                } catch {
                    throw .failed("\(member.name): \(error.description)")
                }
                expected += 1
            }
        }
        try wait("the channels") {
            let open = (try? ledger.allChannels())?.filter { $0.status == .open }
            return open?.count == expected
        }
    }

    /// Waits until something is so, while all processes run.
    func wait(
        _ what: String,
        seconds: Int = 30,
        until isSo: () -> Bool
    ) throws(Failure) {
        for _ in 0..<(seconds * 20) {
            if isSo() { return }
            try check()
            if signals.next(millis: 50) == .stop { throw .failed("interrupted") }
        }
        throw .failed("\(what): not ready after \(seconds) s")
    }

    /// Throws if a process has ended, with its last words.
    func check() throws(Failure) {
        for child in children {
            if let code = child.wait(millis: 0) {
                throw .failed("\(child.name) ended with \(code):\n\(child.tail())")
            }
        }
        if signals.next(millis: 0) == .stop { throw .failed("interrupted") }
    }

    // MARK: stopping

    /// Asks everybody to stop, entry first; says who did not end well.
    func stop() -> [String] {
        var complaints: [String] = []
        let order = ["entry", "exit", "relay1", "relay2", "relay3", "ledger", "dns"]
        for name in order {
            guard let child = children.first(where: { $0.name == name }) else { continue }
            child.terminate()
            let code = child.wait(millis: 20_000)
            if code != 0 && name != "dns" {
                complaints.append(
                    code.map { "\(name) ended with \($0):\n\(child.tail())" }
                        ?? "\(name) did not stop"
                )
            }
        }
        return complaints
    }

    /// Leaves nothing behind.
    func cleanUp() {
        for child in children { child.destroy() }
        if environment("DRAY_DEMO_KEEP") == nil { Files.removeTree(folder) }
    }
}
