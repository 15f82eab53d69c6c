// swift-format-ignore-file: NeverUseForceTry
import Bytes
import Chain
import Crypto
import Exchange
import LedgerSupport
import TestSupport
import Testing

@Suite struct LedgerRequestTests {
    let alice = Player(1)
    let bob = Player(2)
    let ledger: InProcessLedger
    let domain: Bytes32
    let home = Endpoint(ipv4: 127, 0, 0, 1, port: 9_000)

    init() {
        let parameters = testParameters()
        ledger = InProcessLedger(
            parameters,
            genesis: [(alice.address, 10_000), (bob.address, 500)]
        )
        domain = parameters.domain
    }

    func transfer(_ nonce: UInt64, _ amount: UInt128) -> LedgerRequest {
        LedgerRequest(
            from: alice.address,
            nonce: nonce,
            action: .transfer(to: bob.address, amount: amount)
        )
    }

    func sign(_ request: LedgerRequest, by player: Player? = nil, on domain: Bytes32? = nil)
        -> SignedRequest
    {
        try! SignedRequest(request, key: (player ?? alice).chain, domain: domain ?? self.domain)
    }

    var balance: UInt128 { ledger.ledger.accounts[alice.address]?.balance ?? 0 }

    @Test func `a signature of our own that does not verify is an error`() throws {
        let request = transfer(1, 5)
        var signature = sign(request).signature
        let good = try SignedRequest(
            request,
            signature: signature,
            key: alice.chain,
            domain: domain
        )
        #expect(good == sign(request))
        for bit in stride(from: 0, to: 512, by: 7) {
            signature[bit / 8] ^= 1 << UInt8(bit % 8)
            #expect(throws: SigningFault(action: "transfer")) {
                try SignedRequest(
                    request,
                    signature: signature,
                    key: alice.chain,
                    domain: domain
                )
            }
            signature[bit / 8] ^= 1 << UInt8(bit % 8)
        }
        #expect("\(SigningFault(action: "redeem"))".contains("redeem request does not verify"))
    }

    @Test func `a request signed by another key is refused`() {
        #expect(ledger.ask(sign(transfer(1, 5), by: bob)).refusal == .signature)
        var request = sign(transfer(1, 5))
        request.signature[10] ^= 1
        #expect(ledger.ask(request).refusal == .signature)
        request = sign(transfer(1, 5))
        request.bytes[request.bytes.count - 1] ^= 1
        #expect(ledger.ask(request).refusal == .signature)
        #expect(balance == 10_000)
        #expect(ledger.ledger.accounts[alice.address]?.nonce == 0)
    }

    @Test func `a request for another ledger is refused`() {
        let other = Hash.keccak256([1])
        #expect(ledger.ask(sign(transfer(1, 5), on: other)).refusal == .signature)
    }

    @Test func `asking twice gives the same answer and pays once`() {
        let request = sign(transfer(1, 5))
        let first = ledger.ask(request)
        #expect(first.refusal == nil)
        #expect(ledger.ask(request) == first)
        #expect(balance == 9_995)
        let refused = sign(transfer(2, 1_000_000))
        let answer = ledger.ask(refused)
        #expect(answer.refusal == .balance)
        #expect(ledger.ask(refused) == answer)
    }

    @Test func `an old or reused nonce is refused`() {
        #expect(ledger.ask(sign(transfer(5, 5))).refusal == nil)
        #expect(ledger.ask(sign(transfer(5, 6))).refusal == .nonceUsed)
        #expect(ledger.ask(sign(transfer(4, 5))).refusal == .nonceUsed)
        #expect(ledger.ask(sign(transfer(0, 5))).refusal == .nonceUsed)
        #expect(balance == 9_995)
        #expect(ledger.ask(sign(transfer(9, 5))).refusal == nil)
    }

    @Test func `a request that was refused can never be carried out later`() {
        let early = LedgerRequest(
            from: bob.address,
            nonce: 1,
            action: .transfer(to: alice.address, amount: 1_000)
        )
        let signed = sign(early, by: bob)
        #expect(ledger.ask(signed).refusal == .balance)
        #expect(ledger.ask(sign(transfer(1, 5_000))).refusal == nil)
        #expect(ledger.ask(signed).refusal == .balance)
        #expect(ledger.ledger.accounts[bob.address]?.balance == 5_500)
    }

    @Test func `bytes that are no request are refused`() {
        var random = SeededGenerator("requests")
        let good = sign(transfer(1, 5))
        for _ in 0..<200 {
            var bytes = good.bytes
            switch random.next() % 3 {
            case 0: bytes = random.bytes(Int(random.next() % 200))
            case 1: bytes.removeLast(1 + Int(random.next() % 20))
            default: bytes += random.bytes(1 + Int(random.next() % 4))
            }
            let answer = ledger.ask(SignedRequest(bytes: bytes, signature: good.signature))
            #expect(answer.refusal == .malformed || answer.refusal == .signature)
        }
        #expect(LedgerRequest(bytes: good.bytes)?.bytes == good.bytes)
        #expect(balance == 10_000)
    }

    @Test func `every kind of request survives its bytes`() {
        let redemption = Redemption(
            ticket: FixedBytes<132>(),
            response: domain,
            proof: [1, 2, 3]
        )
        let actions: [LedgerAction] = [
            .announcement(
                key: alice.packet,
                endpoint: home,
                from: alice.address,
                nonce: 3,
                domain: domain
            ),
            .transfer(to: bob.address, amount: .max), .fund(destination: bob.address, amount: 3),
            .commit(source: bob.address, commitment: domain), .notice(destination: bob.address),
            .close(destination: bob.address),
            .redeem(source: bob.address, tickets: [redemption, redemption]),
        ]
        for action in actions {
            let request = LedgerRequest(from: alice.address, nonce: 3, action: action)
            #expect(LedgerRequest(bytes: request.bytes) == request)
        }
        let digests = actions.map {
            LedgerRequest(from: alice.address, nonce: 3, action: $0).digest(domain: domain)
        }
        #expect(Set(digests).count == actions.count)
    }

    // MARK: The register

    @Test func `key ids are given out in order and found again`() {
        for number in 10..<20 {
            let player = Player(UInt8(number))
            let endpoint = Endpoint(ipv4: 127, 0, 0, 1, port: UInt16(number))
            let receipt = ledger.ask(player.announce(endpoint, domain))
            #expect(receipt.refusal == nil)
            #expect(receipt.keyID == UInt32(number - 9))
            #expect(ledger.ledger.accounts[player.address]?.balance == 1_000)
        }
        #expect(ledger.ledger.nodes.map(\.keyID) == Array(1...10))
    }

    @Test func `the grant comes once and only while there is money`() {
        let player = Player(9)
        #expect(ledger.ask(player.announce(home, domain)).keyID == 1)
        #expect(ledger.ask(player.announce(home, domain)).keyID == 1)
        #expect(ledger.ledger.accounts[player.address]?.balance == 1_000)
        let poor = InProcessLedger(
            testParameters(supply: 10_500),
            genesis: [(alice.address, 10_000)]
        )
        #expect(poor.ask(Player(9).announce(home, domain)).refusal == nil)
        #expect(poor.ledger.accounts[player.address]?.balance == 500)
    }

    @Test func `an announcement needs both signatures`() {
        let nonce = alice.next()
        let action = LedgerAction.announcement(
            key: bob.packet,
            endpoint: home,
            from: alice.address,
            nonce: nonce,
            domain: domain
        )
        guard case .announce(_, let endpoint, let signature) = action else { return }
        let stolen = LedgerAction.announce(
            packetKey: alice.packet.publicKey,
            endpoint: endpoint,
            packetSignature: signature
        )
        let request = LedgerRequest(from: alice.address, nonce: nonce, action: stolen)
        #expect(ledger.ask(sign(request)).refusal == .packetSignature)
        #expect(ledger.ledger.nodes.isEmpty)
    }

    @Test func `packet keys and addresses belong to one node`() {
        #expect(ledger.ask(alice.announce(home, domain)).refusal == nil)
        let elsewhere = Endpoint(ipv4: 127, 0, 0, 1, port: 9_001)
        #expect(
            ledger.ask(bob.announce(elsewhere, domain, packet: alice.packet)).refusal
                == .packetKeyTaken
        )
        #expect(ledger.ask(bob.announce(home, domain)).refusal == .endpointTaken)
        #expect(
            ledger.ask(bob.announce(Endpoint(family: 5, address: Bytes16(), port: 1), domain))
                .refusal == .malformed
        )
        #expect(
            ledger.ask(bob.announce(Endpoint(family: 4, address: Bytes16(), port: 0), domain))
                .refusal == .malformed
        )
        #expect(ledger.ask(bob.announce(elsewhere, domain)).keyID == 2)
    }

    @Test func `a new packet key gets a new id and the old one a grace`() {
        #expect(ledger.ask(alice.announce(home, domain)).keyID == 1)
        let fresh = Player(77).packet
        #expect(ledger.ask(alice.announce(home, domain, packet: fresh)).keyID == 2)
        let old = ledger.ledger.nodes[0]
        #expect(old.isValid(nowMillis: ledger.millis + 9_999))
        #expect(!old.isValid(nowMillis: ledger.millis + 10_000))
        #expect(ledger.ledger.nodes[1].retiresMillis == 0)
        #expect(ledger.ask(alice.announce(home, domain)).refusal == .packetKeyRetired)
        ledger.advance(millis: 5_000)
        let moved = Endpoint(ipv4: 10, 0, 0, 1, port: 4)
        #expect(ledger.ask(alice.announce(moved, domain, packet: fresh)).keyID == 2)
        #expect(ledger.ledger.nodes.map(\.endpoint) == [moved, moved])
    }

    @Test func `a follower's copy equals the ledger`() throws {
        #expect(ledger.ask(alice.announce(home, domain)).refusal == nil)
        var view = try LedgerView(of: ledger)
        #expect(
            ledger.ask(alice.sign(.fund(destination: bob.address, amount: 50), domain)).refusal
                == nil
        )
        #expect(
            ledger.ask(alice.announce(home, domain, packet: Player(77).packet)).refusal == nil
        )
        try view.follow(ledger)
        #expect(view.channels == ledger.ledger.channels)
        #expect(view.nodes.values.sorted { $0.keyID < $1.keyID } == ledger.ledger.nodes)
        #expect(view.sequence == ledger.ledger.sequence)
        #expect(view.node(alice.address)?.keyID == 2)
    }

    @Test func `addresses are read and written`() {
        for text in ["127.0.0.1:9000", "[::1]:65535", "[2001:db8::7]:1"] {
            #expect(Endpoint(text: text)?.text == text)
        }
        for text in ["127.0.0.1", "127.0.0.1:0", ":9000", "a.b:1", "[::1]", "1.2.3:4", ""] {
            #expect(Endpoint(text: text) == nil)
        }
    }
}
