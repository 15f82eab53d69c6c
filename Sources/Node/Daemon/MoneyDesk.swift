internal import Bytes
internal import Channels
internal import Exchange
internal import Store
internal import Synchronization

/// The control thread: drains the workers' reports, hands deliveries to the gateway, and turns
/// everything else into stored claims, about every millisecond.
final class MoneyDesk: Sendable {
    private let runtime: ChannelRuntime
    private let gateway: GatewayDesk
    private let press: SnapshotPress
    private let threads = Mutex<PacketThreads?>(nil)
    private let isStopping = Atomic<Bool>(false)
    private let broken = Mutex<StoreError?>(nil)

    init(runtime: ChannelRuntime, gateway: GatewayDesk, press: SnapshotPress) {
        self.runtime = runtime
        self.gateway = gateway
        self.press = press
    }

    /// Why it has stopped by itself; the node must end then.
    var failure: StoreError? { broken.withLock { $0 } }

    /// Reports come from these threads from now on. Those of the ones before are all taken first.
    func adopt(_ new: PacketThreads?) {
        threads.withLock { threads in
            if let old = threads { try? take(from: old) }
            threads = new
        }
    }

    /// Asks `run` to return once everything that was reported is on disk.
    func stop() { isStopping.store(true, ordering: .releasing) }

    /// Works until `stop`, or until the store fails.
    func run() {
        do throws(StoreError) {
            while !isStopping.load(ordering: .acquiring) {
                try turn()
                pause(millis: 1)
            }
            try turn()
        } catch {
            broken.withLock { $0 = error }
        }
    }

    private func turn() throws(StoreError) {
        try threads.withLock { (threads) throws(StoreError) in
            if let threads {
                try take(from: threads)
            } else {
                try runtime.turn([], now: Daemon.now())
            }
        }
    }

    /// After `run` has returned: takes what packet threads that have ended reported since, for
    /// another program to go on with.
    func takeLast() {
        do throws(StoreError) {
            try threads.withLock { (threads) throws(StoreError) in
                if let threads { try take(from: threads, isLast: true) }
            }
        } catch {
            broken.withLock { $0 = error }
        }
    }

    private func take(from threads: PacketThreads, isLast: Bool = false) throws(StoreError) {
        var reports: [Report] = []
        var deliveries: [Delivery] = []
        threads.drain { report in
            switch report {
            case .delivery(let delivery): deliveries.append(delivery)
            case .signer(let channel, let key): press.learn(signer: key, channel: channel)
            case .verifier(let keyID): press.learn(verifier: keyID)
            case .locked, .unlocked, .released, .acknowledged: reports.append(report)
            }
        }
        // Before the commit: what was delivered need not wait for the disk.
        if !deliveries.isEmpty { _ = gateway.deliver(deliveries) }
        try runtime.turn(reports, now: Daemon.now(), isLast: isLast)
    }
}
