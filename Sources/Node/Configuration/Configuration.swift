public import Crypto

/// Everything a node reads from its configuration file, checked.
public struct Configuration: Sendable {
    /// Amounts on the wire are below this.
    static let amountLimit: UInt128 = 10_000_000_000_000_000_000_000_000

    /// Where things are and who we are.
    public struct Node: Sendable {
        /// Folder for claims, replay set and admin socket; locked while the node runs.
        public var data = ""
        /// Folder made by `dray keygen`.
        public var keys = ""
        /// File whose first line is the passphrase of the keys; else `DRAY_PASSPHRASE` is used.
        public var passphraseFile: String?
        /// UDP address of the node's packets.
        public var listen = HostPort(host: "0.0.0.0", port: 0)
        /// UDP address in the register, if it differs from `listen`.
        public var announce: HostPort?
        /// Unix socket for `dray status` and its kind.
        public var adminSocket = ""
        /// Least important lines that are logged.
        public var logLevel = LogLevel.info
        /// How long a stopping node waits for acknowledgements.
        public var stopWaitSeconds = 10
    }

    /// What a packet looks like.
    public struct Packet: Sendable {
        /// `head`, `v4` or `mix13`.
        public var profile = "head"
        /// Overrides the profile's payload block.
        public var payloadBytes: Int?
        /// Overrides the profile's size of a reply block.
        public var surbBytes: Int?
        /// Overrides the profile's ticket selector.
        public var ticketSelector: [UInt8]?
    }

    /// The packet threads.
    public struct Workers: Sendable {
        /// Number of threads, each with sockets and tables of its own.
        public var count = 1
        /// Processors to pin them to; empty: not pinned.
        public var pin: [Int] = []
        /// Buffers that the kernel receives into, for each worker; a power of two. With coalescing
        /// each has 64 KiB.
        public var receiveBuffers = 128
        /// Wish for the socket's buffers, each way, in KiB. What comes while a worker is busy waits
        /// there.
        public var socketBufferKiB = 4_096
        /// Packets a second that each worker takes from one neighbour; 0: any number.
        public var neighbourRate = 0
    }

    /// The links to neighbours and the way to the network.
    public struct Links: Sendable {
        /// How datagrams go to the kernel and come from it.
        public enum Backend: String, CaseIterable, Sendable {
            /// io_uring, or system calls where it is forbidden or too old.
            case automatic = "auto"
            /// io_uring or nothing.
            case uring
            /// `recvmmsg` and `sendmmsg`.
            case syscalls
        }
        /// Bytes of a datagram; 0: as many as the path to the neighbour takes.
        public var datagramBytes = 1_452
        /// Neighbours there can be.
        public var peers = 1_024
        /// How datagrams go to the kernel and come from it.
        public var backend = Backend.automatic
        /// The kernel cuts trains of datagrams apart.
        public var segmentation = true
        /// The kernel puts trains of datagrams together.
        public var coalescing = true
        /// Datagrams a second that every link sends, whatever there is to say; 0: as needed.
        public var constantRate = 0
    }

    /// How long packets are held.
    public struct Mixing: Sendable {
        /// A distribution of delays.
        public enum Delay: Equatable, Sendable {
            /// Not at all.
            case none
            /// Any time up to `maxMicros`, all equally likely.
            case uniform(maxMicros: Int)
            /// Exponential, cut at `maxMicros`.
            case exponential(meanMicros: Int, maxMicros: Int)
        }
        /// The delay of each packet.
        public var delay = Delay.uniform(maxMicros: 20_000)
        /// Packets held at once by each worker.
        public var capacity = 20_000
    }

    /// Memory of packets seen, for each packet key.
    public struct Replay: Sendable {
        /// Tags it has room for.
        public var tags = 16_777_216
    }

    /// Tables of keys whose signatures are checked again and again.
    public struct Tables: Sendable {
        /// Memory for issuers of tickets, 256 KiB each; 0: none.
        public var issuersMiB = 64
        /// Memory for neighbours that acknowledge, 192 KiB each; 0: none.
        public var neighboursMiB = 64
    }

    /// Acknowledgements.
    public struct Acknowledgements: Sendable {
        /// Longest wait for company on the link.
        public var waitMillis = 200
        /// How long a forwarded packet's ticket waits for its acknowledgement.
        public var ttlSeconds = 10
    }

    /// What we ask for and offer.
    public struct Tickets: Sendable {
        /// Price of one packet and one hop.
        public var price: UInt128 = 100
        /// Smallest amount of a ticket we take.
        public var minimumAmount: UInt128 = 0
        /// Winning probability of tickets we issue.
        public var winProbability = 1.0
        /// Smallest winning probability we take.
        public var minimumWinProbability = 0.0
        /// Unacknowledged tickets held by each worker.
        public var unacknowledged = 262_144
        /// Seconds between redemptions; 0: only by `dray tickets redeem`.
        public var redeemSeconds = 60
        /// What the nonces of our tickets' signatures are made of.
        public var nonces = NonceRule.rfc6979
        /// Verify every ticket of ours before it leaves.
        public var selfCheck = false
    }

    /// What the entry side may use.
    public struct Entry: Sendable {
        /// Chain address of the exit that tunnels and messages use.
        public var exit: String?
        /// Reply blocks kept in stock at the other end of a flow.
        public var replyBlocks = 200
        /// Flows at once.
        public var flows = 256
        /// Seconds without traffic after which a flow ends.
        public var idleSeconds = 60
    }

    /// What the exit forwards to.
    public struct Exit: Sendable {
        /// Targets, exactly as clients must name them.
        public var targets: [HostPort] = []
        /// Flows at once.
        public var flows = 4_096
        /// Flows at once of one sender.
        public var flowsPerSender = 64
        /// Datagrams a second of one flow.
        public var flowRate = 2_000
        /// Seconds without traffic after which a flow ends.
        public var idleSeconds = 60
    }

    /// The file as it was named.
    public var file = ""
    /// Section `[node]`.
    public var node = Node()
    /// Unix socket of the local ledger, from section `[ledger]`.
    public var ledgerSocket = ""
    /// Section `[packet]`.
    public var packet = Packet()
    /// Section `[workers]`.
    public var workers = Workers()
    /// Section `[links]`.
    public var links = Links()
    /// Section `[mixing]`.
    public var mixing = Mixing()
    /// Section `[replay]`.
    public var replay = Replay()
    /// Section `[tables]`.
    public var tables = Tables()
    /// Section `[acknowledgements]`.
    public var acknowledgements = Acknowledgements()
    /// Section `[tickets]`.
    public var tickets = Tickets()
    /// Section `[entry]`.
    public var entry = Entry()
    /// Section `[exit]`.
    public var exit = Exit()
}

/// A host, by name or number, and a port, as somebody wrote it.
public struct HostPort: Hashable, Sendable, CustomStringConvertible {
    /// Name, IPv4 address, or IPv6 address without brackets.
    public var host: String
    /// UDP port.
    public var port: UInt16

    /// Puts the two together.
    public init(host: String, port: UInt16) {
        self.host = host
        self.port = port
    }

    /// Parses `host:port` or `[v6]:port`.
    public init?(_ text: String) {
        guard let colon = text.lastIndex(of: ":"),
            let port = UInt16(text[text.index(after: colon)...])
        else { return nil }
        var host = text[..<colon]
        if host.hasPrefix("[") && host.hasSuffix("]") {
            host = host.dropFirst().dropLast()
        } else if host.contains(":") {
            return nil
        }
        guard !host.isEmpty, !host.contains(where: { $0 == " " || $0 == "[" || $0 == "]" }) else {
            return nil
        }
        self.init(host: String(host), port: port)
    }

    /// `host:port`, an IPv6 address in brackets.
    public var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}
