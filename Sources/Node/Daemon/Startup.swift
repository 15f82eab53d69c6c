internal import Bytes
internal import Chain
internal import Channels
internal import Datapath
internal import Exchange
internal import Link
internal import Sphinx
internal import Store
internal import Tickets

/// The steps of a start: each one either works or ends in one clear line.
enum Startup {
    static func geometry(_ packet: Configuration.Packet) throws(StartError) -> Geometry {
        guard let profile = Geometry(named: packet.profile) else {
            throw .wrong("unknown packet profile \(packet.profile)")
        }
        let selector = packet.ticketSelector.map { bytes in
            bytes.reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        }
        return Geometry(
            payloadBytes: packet.payloadBytes ?? profile.payloadBytes,
            surbBytes: packet.surbBytes ?? profile.surbBytes,
            ticketSelector: selector ?? profile.ticketSelector,
            refusesNeutralAlpha: profile.refusesNeutralAlpha
        )
    }

    /// All memory is taken at start: a machine that does not have it is told now.
    static func memory(
        _ configuration: Configuration,
        _ geometry: Geometry,
        available: Int?
    ) throws(StartError) {
        let tables = configuration.tables.issuersMiB + configuration.tables.neighboursMiB
        let needed =
            PacketThreads.byteCount(configuration, geometry) + tables << 20
            + ChannelBooks.byteCount(slots: Daemon.channelSlots)
        guard let available, needed > available else { return }
        throw .wrong(
            "memory: the configuration takes \(needed >> 20) MiB and \(available >> 20) MiB are "
                + "free; workers.count, workers.receive_buffers, mixing.capacity, replay.tags, "
                + "links.peers, tables and tickets.unacknowledged make it smaller"
        )
    }

    /// Opens the data folder, which locks it.
    ///
    /// - Parameter checked: the store's last change before the program that became this one closed
    ///   it. Nobody else can have taken the folder for more than a moment.
    static func store(_ folder: String, checked: UInt64? = nil) throws(StartError) -> NodeStore {
        var tries = 0
        while true {
            do throws(StoreError) {
                return try NodeStore(folder: folder, checked: checked)
            } catch {
                guard case .folderInUse = error, checked != nil, tries < 200 else {
                    throw .failed(error.description)
                }
            }
            tries += 1
            pause(millis: 10)
        }
    }

    /// Tries the port the way that lets nobody share it: another dray would.
    static func port(_ place: HostPort) throws(StartError) -> Endpoint {
        let endpoint = try endpoint(place)
        do throws(SystemError) {
            _ = try UDPSocket(bind: endpoint)
        } catch {
            throw .failed(error.description)
        }
        return endpoint
    }

    static func endpoint(_ place: HostPort) throws(StartError) -> Endpoint {
        guard let endpoint = Endpoint(place) else {
            throw .wrong("node.listen: \(place) is no address")
        }
        return endpoint
    }

    static func parameters(
        _ layer: LedgerClient,
        _ geometry: Geometry
    ) throws(StartError) -> LedgerParameters {
        let parameters: LedgerParameters
        do throws(ChainError) {
            parameters = try layer.status().parameters
        } catch {
            throw .unreachable("\(error)")
        }
        guard parameters.selector == geometry.ticketSelector else {
            throw .wrong("the ledger's tickets are of another profile than packet.profile says")
        }
        return parameters
    }

    static func policy(_ tickets: Configuration.Tickets) -> Policy {
        Policy(
            price: tickets.price,
            minimumAmount: tickets.minimumAmount,
            winProbability: WinProbability(tickets.winProbability) ?? .always,
            winProbabilityLeast: WinProbability(tickets.minimumWinProbability) ?? .never
        )
    }

    static func runtime(
        _ configuration: Configuration,
        _ keys: KeyRing,
        _ store: NodeStore,
        _ layer: LedgerClient,
        _ books: ChannelBooks,
        _ worlds: Worlds,
        _ logger: Logger,
        handover: ChannelHandover? = nil,
        lost: [Bytes32: UInt64] = [:]
    ) throws(StartError) -> ChannelRuntime {
        var policy = ChannelPolicy()
        policy.ackTTLNanos = UInt64(configuration.acknowledgements.ttlSeconds) * 1_000_000_000
        // Redemptions are asked for by the clock; in between only what a closing channel needs.
        policy.redeemValue = .max
        var setup = ChannelRuntime.Setup(
            key: keys.chainKey,
            policy: policy,
            store: store,
            layer: layer,
            books: books
        )
        setup.handover = handover
        setup.lost = lost
        setup.onWorld = { worlds.update($0) }
        setup.onAlarm = { id, reason in
            logger.log(.warning, "channel \(id.hex) takes no tickets: \(reason.code)")
        }
        setup.onFault = { logger.log(.error, "\($0)") }
        do throws(ChannelError) {
            return try ChannelRuntime(setup, now: Daemon.now())
        } catch {
            throw StartError(error)
        }
    }

    /// Memory for links.
    static func links(
        _ configuration: Configuration,
        _ geometry: Geometry,
        _ domain: Bytes32,
        _ keys: KeyRing,
        _ logger: Logger,
        handed: LinkHouse.Handed? = nil
    ) throws(StartError) -> LinkHouse {
        guard let key = keys.newest else { throw .wrong("no packet key") }
        let prologue = LinkPrologue(
            packetBytes: geometry.packetBytes,
            payloadBytes: geometry.payloadBytes,
            selector: geometry.ticketSelector,
            domain: domain
        )
        let bytes = configuration.links.datagramBytes
        var config = LinkConfig(
            prologue: prologue,
            datagramBytes: bytes == 0 ? LinkLimits.datagramBytesMax : bytes
        )
        config.keepsSessions = configuration.links.constantRate > 0
        let plan = LinkHouse.Plan(
            config: config,
            peers: configuration.links.peers,
            workers: configuration.workers.count,
            asksPath: bytes == 0,
            handed: handed
        )
        do throws(DatapathError) {
            return try LinkHouse(plan, key: key, logger: logger)
        } catch {
            throw .failed("links: \(error)")
        }
    }

    static func gateway() throws(StartError) -> GatewayDesk {
        do throws(SystemError) {
            return try GatewayDesk()
        } catch {
            throw .failed(error.description)
        }
    }
}
