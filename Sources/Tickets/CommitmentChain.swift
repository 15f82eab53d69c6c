public import Bytes
public import Crypto

/// The iterated hash commitment of one channel: c_0 is the seed, c_i = Keccak-256(c_(i-1)), and
/// c_100000 goes on chain. Each winning ticket takes the next opening downwards.
///
/// Two levels: every 316th value is kept, and the run of 316 values that is being used. Building
/// costs one pass of 100,000 hashes and can be done in pieces; afterwards an opening is a table
/// read, and a new run 316 hashes. Not for several threads at once.
public final class CommitmentChain {
    /// Position of the first commitment.
    public static let iterations = 100_000
    /// Values between two that are kept.
    static let run = 316
    static let checkpoints = iterations / run + 1

    // Values 0, 316, 632...; openings not yet used are secrets.
    private let coarse = Memory(checkpoints * 32)
    private let fine = Memory(run * 32)
    private let tip = Memory(32)
    private var fineRun = -1
    private var built = 0

    /// Starts a chain from its seed; `advance` builds it.
    public init(seed: SecretBytes) {
        precondition(seed.count == 32)
        tip.region.copy(seed.region, to: 0)
        keep()
    }

    /// A finished chain.
    public static func build(seed: SecretBytes) -> CommitmentChain {
        let chain = CommitmentChain(seed: seed)
        while !chain.advance(by: iterations) {}
        return chain
    }

    /// Does at most about `count` hashes of the building; true when the chain is finished.
    public func advance(by count: Int) -> Bool {
        var left = count
        while built < CommitmentChain.iterations, left > 0 {
            let boundary = (built / CommitmentChain.run + 1) * CommitmentChain.run
            let step = min(boundary, CommitmentChain.iterations) - built
            iterate(tip.region, step)
            built += step
            left -= step
            keep()
        }
        return isBuilt
    }

    /// True once all values can be had.
    public var isBuilt: Bool { built == CommitmentChain.iterations }

    /// c_100000, what goes on chain first.
    public var commitment: Bytes32 {
        precondition(isBuilt, "chain is not finished")
        return tip.region.load(0)
    }

    /// c_position, 0...100,000. Below the position on chain it is a secret until it is used.
    public func value(at position: Int) -> Bytes32 {
        precondition(isBuilt, "chain is not finished")
        precondition(0...CommitmentChain.iterations ~= position)
        if position == CommitmentChain.iterations { return commitment }
        expand(position / CommitmentChain.run)
        return fine.region.load(position % CommitmentChain.run * 32)
    }

    /// The opening that is due when the next position is `nextPosition`: c_(nextPosition - 1); nil
    /// when all are used (`commitmentExhausted`).
    public func opening(nextPosition: Int) -> Bytes32? {
        nextPosition > 0 ? value(at: nextPosition - 1) : nil
    }

    /// The position of a value that is on the chain; nil (`commitmentUnknown`) for any other. At
    /// most 316 hashes: from any value of the chain the next kept one is that near.
    public func locate(_ value: Bytes32) -> Int? {
        precondition(isBuilt, "chain is not finished")
        var current = value
        for steps in 0...CommitmentChain.run {
            if let position = checkpoint(current) { return position - steps }
            current.withRegion { iterate($0, 1) }
        }
        return nil
    }

    private func checkpoint(_ value: Bytes32) -> Int? {
        if value == commitment { return CommitmentChain.iterations }
        for index in 0..<CommitmentChain.checkpoints {
            let kept: Bytes32 = coarse.region.load(index * 32)
            if kept == value { return index * CommitmentChain.run }
        }
        return nil
    }

    private func keep() {
        guard built % CommitmentChain.run == 0 else { return }
        coarse.region.copy(tip.region, to: built / CommitmentChain.run * 32)
    }

    private func expand(_ run: Int) {
        guard run != fineRun else { return }
        fine.region.copy(coarse.region.slice(run * 32, 32), to: 0)
        for index in 1..<CommitmentChain.run {
            fine.region.copy(fine.region.slice((index - 1) * 32, 32), to: index * 32)
            iterate(fine.region.slice(index * 32, 32), 1)
        }
        fineRun = run
    }

    private func iterate(_ value: Region, _ count: Int) {
        Kernels.keccakIterate(Lanes(value), count: count, live: 1)
    }
}

extension CommitmentChain {
    /// The seed of a channel's chain: the same whenever it is needed, another for every bump.
    ///
    /// BLAKE3 derive-key, context DRAY_COMMITMENT_SEED, over chain private key 32 ‖ chain id u64 ‖
    /// contract 20 ‖ channel id 32 ‖ channel epoch u32 ‖ ticket epoch u32, both epochs as they will
    /// be after the bump.
    public static func seed(
        key: ChainKey,
        chainID: UInt64,
        contract: Address,
        channelID: Bytes32,
        channelEpoch: UInt32,
        ticketEpoch: UInt32
    ) -> SecretBytes {
        let seed = SecretBytes(count: 32)
        SecretBytes(count: 100).withRegion { material in
            material.copy(key.secretScalar, to: 0)
            material.storeBigEndian(chainID, 32, count: 8)
            material.store(contract, 40)
            material.store(channelID, 60)
            material.storeBigEndian(UInt64(channelEpoch), 92, count: 4)
            material.storeBigEndian(UInt64(ticketEpoch), 96, count: 4)
            seed.withRegion {
                Kernels.derive(
                    .commitmentSeed,
                    key: Lanes(material),
                    keyBytes: 100,
                    out: Lanes($0),
                    outBytes: 32,
                    live: 1
                )
            }
        }
        return seed
    }
}
