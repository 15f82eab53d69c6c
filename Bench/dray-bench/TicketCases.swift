import Bytes
import Crypto
import Harness
import Sphinx
import Tickets

/// Checking and writing tickets, acknowledgements, luck.
func ticketCases(_ fixture: Fixture) -> [Case] {
    let lanes = LaneMask.max
    let columns = TicketColumns(fixture)
    let tickets = fixture.tickets
    return [
        Case("ticket.verify", batch: 64) {
            columns.hash(fixture, lanes)
            let good = tickets.verifyVariableTime(
                columns.tickets,
                hashes: columns.hashes,
                issuers: columns.issuers,
                lanes: lanes
            )
            precondition(good == lanes)
            return good
        },
        Case("ticket.challenge", batch: 64) {
            let check = tickets.checkChallenges(
                columns.tickets,
                ownHalfKeys: columns.own,
                proofs: columns.proofs,
                lanes: lanes
            )
            precondition(check.passed == lanes)
            return check.passed
        },
        Case("ticket.issue", batch: 64) {
            columns.hash(fixture, lanes)
            return tickets.sign(
                columns.issued,
                hashes: columns.hashes,
                key: fixture.issuer.secretScalar,
                lanes: lanes
            )
        },
        Case("ack.make", batch: 64) {
            Acknowledgements.make(
                halfKeys: columns.ack,
                signingKey: fixture.nextHop.signingKey,
                lanes: lanes,
                into: columns.acknowledgements
            )
            return UInt64(columns.acknowledgements[63][95])
        },
        Case("ack.take", batch: 64) {
            let signed = Acknowledgements.verifyVariableTime(
                columns.acknowledgements,
                signer: publicKeyRegion(fixture.nextHop),
                lanes: lanes
            )
            let hinted = tickets.hints(
                of: columns.acknowledgements,
                lanes: signed,
                into: columns.hints
            )
            let opened = tickets.responses(
                ownHalfKeys: columns.own,
                acknowledgements: columns.acknowledgements,
                lanes: hinted,
                into: columns.responses
            )
            precondition(opened == lanes)
            return opened
        },
        Case("luck.commitment") {
            Luck.commitment(
                hash: columns.hashes[0],
                opening: columns.own[0],
                response: columns.responses[0],
                signature: columns.tickets[0].signature
            )
        },
        Case("luck.vrf") {
            let hash = columns.hashes[0]
            return Luck.vrf(
                hash: hash,
                value: VRF.value(key: fixture.relayChain, hash: hash, domain: fixture.domain),
                response: columns.responses[0],
                signature: columns.tickets[0].signature
            )
        },
    ]
}

/// What the ticket stages read and write, for 64 lanes.
struct TicketColumns {
    let memory = Memory(1 << 20)
    let tickets: Column<Ticket>
    let issued: Column<Ticket>
    let hashes: Column<Bytes32>
    let channels: Column<Bytes32>
    let domains: Column<Bytes32>
    let issuers: Column<Address>
    let own: Column<Bytes32>
    let ack: Column<Bytes32>
    let proofs: Column<ProofString>
    let hints: Column<Bytes33>
    let responses: Column<Bytes32>
    let acknowledgements: Column<Acknowledgement>

    /// Peels the fixture's packets once and keeps what the stages need.
    init(_ fixture: Fixture) {
        var arena = Arena(memory.region)
        let lanes = Fixture.lanes
        tickets = arena.column(Ticket.self, lanes)
        issued = arena.column(Ticket.self, lanes)
        hashes = arena.column(Bytes32.self, lanes)
        channels = arena.column(Bytes32.self, lanes)
        domains = arena.column(Bytes32.self, lanes)
        issuers = arena.column(Address.self, lanes)
        own = arena.column(Bytes32.self, lanes)
        ack = arena.column(Bytes32.self, lanes)
        proofs = arena.column(ProofString.self, lanes)
        hints = arena.column(Bytes33.self, lanes)
        responses = arena.column(Bytes32.self, lanes)
        acknowledgements = arena.column(Acknowledgement.self, lanes)
        fixture.restore()
        var batch = fixture.batch(lanes)
        let key = PeelKey(
            scalar: fixture.relay.scalar,
            publicKey: publicKeyRegion(fixture.relay)
        )
        let scratch = fixture.peelScratch
        Peel.peel(
            &batch,
            slab: fixture.packets,
            geometry: fixture.geometry,
            key: key,
            scratch: scratch
        )
        precondition(batch.live == .max)
        let parsed = fixture.tickets.parse(
            batch,
            slab: fixture.packets,
            offset: fixture.geometry.ticketOffset,
            lanes: .max,
            into: tickets
        )
        precondition(parsed == .max)
        let channel = TicketDomain.channelID(
            source: fixture.issuer.address,
            destination: fixture.relayChain.address
        )
        for lane in 0..<lanes {
            own[lane] = scratch.ownHalfKey[lane]
            ack[lane] = scratch.ackHalfKey[lane]
            proofs[lane] = scratch.proof[lane]
            issued[lane] = tickets[lane]
            issuers[lane] = fixture.issuer.address
            channels[lane] = channel
            domains[lane] = fixture.domain
        }
        Acknowledgements.make(
            halfKeys: ack,
            signingKey: fixture.nextHop.signingKey,
            lanes: .max,
            into: acknowledgements
        )
    }

    func hash(_ fixture: Fixture, _ lanes: LaneMask) {
        fixture.tickets.hash(
            tickets,
            channelIDs: channels,
            domains: domains,
            lanes: lanes,
            into: hashes
        )
    }
}
