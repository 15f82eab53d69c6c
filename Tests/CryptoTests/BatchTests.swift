import Bytes
import Crypto
import Foundation
import TestSupport
import Testing

/// One kernel as the batch test sees it: fields in, fields out, and the lanes it says are done.
private struct KernelCase: CustomTestStringConvertible, Sendable {
    let name: String
    let inputs: [Int]
    let outputs: [Int]
    /// The first output is also read.
    var inPlace = false
    /// Makes an input that is a point, or mostly.
    var points: Set<Int> = []
    /// Makes an input that is below 2²⁵⁵.
    var scalars: Set<Int> = []
    let run: @Sendable (_ inputs: [Lanes], _ outputs: [Lanes], _ live: LaneMask) -> LaneMask

    var testDescription: String { name }
}

private let nodeKey: ([UInt8], [UInt8]) = {
    let scalar = nodeScalar([UInt8](repeating: 7, count: 32))
    return (scalar, multiplyBase(scalar))
}()

private let cases: [KernelCase] = [
    KernelCase(name: "alpha step", inputs: [32], outputs: [32, 32], points: [0]) {
        var (scalar, publicKey) = nodeKey
        let (inputs, outputs, live) = ($0, $1, $2)
        return scalar.withRegion { scalar in
            publicKey.withRegion { publicKey in
                Kernels.alphaStep(
                    inputs[0],
                    scalar: scalar,
                    publicKey: publicKey,
                    secret: outputs[0],
                    next: outputs[1],
                    live: live
                ).valid
            }
        }
    },
    KernelCase(name: "edwards mul", inputs: [32, 32], outputs: [32], points: [0], scalars: [1]) {
        Kernels.edwardsMul($0[0], scalar: $0[1], out: $1[0], live: $2)
    },
    KernelCase(name: "edwards mul base", inputs: [32], outputs: [32], scalars: [0]) {
        Kernels.edwardsMulBase(scalar: $0[0], out: $1[0], live: $2)
        return $2
    },
    KernelCase(name: "clamp and reduce", inputs: [32], outputs: [32]) {
        Kernels.scalarClampReduce($0[0], out: $1[0], live: $2)
        return $2
    },
    KernelCase(name: "scalar mul", inputs: [32, 32], outputs: [32]) {
        Kernels.scalarMul($0[0], $0[1], out: $1[0], live: $2)
        return $2
    },
    KernelCase(name: "derive", inputs: [18, 16], outputs: [152]) {
        Kernels.derive(
            .replyPRP,
            salt: $0[0],
            saltBytes: 18,
            key: $0[1],
            keyBytes: 16,
            out: $1[0],
            outBytes: 152,
            live: $2
        )
        return $2
    },
    KernelCase(name: "blake3", inputs: [1500], outputs: [32]) {
        Kernels.blake3($0[0], count: 1500, out: $1[0], live: $2)
        return $2
    },
    KernelCase(name: "blake3 keyed", inputs: [32, 1008], outputs: [32]) {
        Kernels.blake3Keyed(key: $0[0], $0[1], count: 1008, out: $1[0], live: $2)
        return $2
    },
    KernelCase(name: "header stream", inputs: [44, 241], outputs: [315]) {
        Kernels.headerStream(
            material: $0[0],
            input: $0[1],
            inputBytes: 241,
            out: $1[0],
            outBytes: 315,
            live: $2
        )
        return $2
    },
    KernelCase(name: "header mac", inputs: [32, 241], outputs: [16]) {
        Kernels.headerMAC(key: $0[0], $0[1], count: 241, out: $1[0], live: $2)
        return $2
    },
    KernelCase(name: "lioness forward", inputs: [152], outputs: [1040], inPlace: true) {
        Kernels.lionessForward(material: $0[0], block: $1[0], count: 1040, live: $2)
        return $2
    },
    KernelCase(name: "lioness inverse", inputs: [152], outputs: [3248], inPlace: true) {
        Kernels.lionessInverse(material: $0[0], block: $1[0], count: 3248, live: $2)
        return $2
    },
    KernelCase(name: "keccak", inputs: [200], outputs: [32]) {
        Kernels.keccak256($0[0], count: 200, out: $1[0], live: $2)
        return $2
    },
    KernelCase(name: "keccak iterated", inputs: [], outputs: [32], inPlace: true) {
        Kernels.keccakIterate($1[0], count: 5, live: $2)
        return $2
    },
    KernelCase(name: "half-keys", inputs: [32], outputs: [32, 32]) {
        Kernels.halfKeys(secret: $0[0], own: $1[0], ack: $1[1], live: $2)
        return $2
    },
    KernelCase(name: "hash to curve", inputs: [52], outputs: [64]) {
        var domain = [UInt8](repeating: 3, count: 32)
        let (inputs, outputs, live) = ($0, $1, $2)
        domain.withRegion {
            Kernels.hashToCurve(inputs[0], count: 52, domain: $0, out: outputs[0], live: live)
        }
        return live
    },
]

struct BatchTests {
    /// Lane counts 1...16 and 64, each lane alone at the ends, and random shapes.
    private func masks(_ generator: inout SeededGenerator) -> [LaneMask] {
        (1...16).map { .first($0) } + [.first(64), 0, 1 << 63, 1 << 31, 0xaaaa_aaaa_aaaa_aaaa]
            + (0..<6).map { _ in generator.next() & generator.next() }
    }

    /// Bytes of one lane's input: a point more often than not where points are wanted.
    private func input(
        _ kernel: KernelCase,
        _ index: Int,
        _ points: [[UInt8]],
        _ generator: inout SeededGenerator
    ) -> [UInt8] {
        var bytes = generator.bytes(kernel.inputs[index])
        if kernel.scalars.contains(index) { bytes[bytes.count - 1] &= 0x7f }
        guard kernel.points.contains(index), generator.next() % 8 != 0 else { return bytes }
        return points[Int(generator.next() % UInt64(points.count))]
    }

    @Test(arguments: cases)
    private func `a batch equals its lanes one by one and touches no other`(kernel: KernelCase) {
        var generator = SeededGenerator(kernel.name)
        let points = (0..<8).map { _ in multiplyBase(generator.bytes(31) + [0]) }
        for mask in masks(&generator) {
            let slots = shuffledSlots(&generator)
            let inputs = kernel.inputs.map { LaneBuffer(width: $0, gap: 5, slots: slots) }
            let outputs = kernel.outputs.map { LaneBuffer(width: $0, gap: 3, slots: slots) }
            for lane in 0..<64 where mask.contains(lane) {
                for index in inputs.indices {
                    inputs[index][lane] = input(kernel, index, points, &generator)
                }
                if kernel.inPlace { outputs[0][lane] = generator.bytes(kernel.outputs[0]) }
            }
            check(kernel, mask, inputs, outputs)
        }
    }

    private func check(
        _ kernel: KernelCase,
        _ mask: LaneMask,
        _ inputs: [LaneBuffer],
        _ outputs: [LaneBuffer]
    ) {
        var expected: [[[UInt8]]] = []
        var valid: LaneMask = 0
        for lane in 0..<64 where mask.contains(lane) {
            let own = kernel.outputs.map { LaneBuffer(width: $0) }
            let alone = inputs.map { buffer in
                let single = LaneBuffer(width: buffer.width)
                single[0] = buffer[lane]
                return single
            }
            if kernel.inPlace { own[0][0] = outputs[0][lane] }
            if kernel.run(alone.map(\.lanes), own.map(\.lanes), 1) == 1 {
                valid |= 1 << LaneMask(lane)
            }
            withExtendedLifetime(alone) { expected.append(own.map { $0[0] }) }
        }
        let before = inputs.map(\.bytes)
        let found = kernel.run(inputs.map(\.lanes), outputs.map(\.lanes), mask)
        #expect(found == valid)
        #expect(inputs.map(\.bytes) == before, "inputs are only read")
        var lanes = mask
        for expected in expected {
            guard let lane = lanes.popFirst() else { break }
            #expect(outputs.map { $0[lane] } == expected, "lane \(lane) of \(mask)")
        }
        for output in outputs {
            #expect(output.isPattern(except: kernel.inPlace ? mask : valid), "mask \(mask)")
        }
    }

    @Test func `the next alpha may replace the alpha it came from`() {
        var generator = SeededGenerator("aliased alpha")
        var (scalar, publicKey) = nodeKey
        let alphas = (0..<64).map { _ in multiplyBase(generator.bytes(31) + [0]) }
        let apart = (LaneBuffer(width: 32), LaneBuffer(width: 32), LaneBuffer(width: 32))
        let aliased = (LaneBuffer(width: 32), LaneBuffer(width: 32))
        for lane in 0..<64 { (apart.0[lane], aliased.0[lane]) = (alphas[lane], alphas[lane]) }
        scalar.withRegion { scalar in
            publicKey.withRegion { publicKey in
                for (alpha, secret, next) in [apart, (aliased.0, aliased.1, aliased.0)] {
                    _ = Kernels.alphaStep(
                        alpha.lanes,
                        scalar: scalar,
                        publicKey: publicKey,
                        secret: secret.lanes,
                        next: next.lanes,
                        live: .max
                    )
                }
            }
        }
        for lane in 0..<64 {
            #expect(aliased.0[lane] == apart.2[lane])
            #expect(aliased.1[lane] == apart.1[lane])
        }
    }

    @Test func `equality is found lane by lane`() {
        var generator = SeededGenerator("equal")
        let left = LaneBuffer(width: 16)
        let right = LaneBuffer(width: 16, gap: 7, slots: shuffledSlots(&generator))
        var same: LaneMask = 0
        for lane in 0..<64 {
            var bytes = generator.bytes(16)
            left[lane] = bytes
            let bit = Int(generator.next() % 200)
            if bit < 128 { bytes[bit / 8] ^= 1 << (bit % 8) } else { same |= 1 << LaneMask(lane) }
            right[lane] = bytes
        }
        for mask in masks(&generator) {
            #expect(Kernels.equal(left.lanes, right.lanes, count: 16, live: mask) == same & mask)
        }
    }

    @Test func `the table in use has a name and is ready`() {
        let wish = ProcessInfo.processInfo.environment["DRAY_CPU"] ?? ""
        let fastest = Kernels.status(of: "avx512") == .ready ? "avx512" : "portable"
        #expect(Kernels.table == (wish.isEmpty ? fastest : wish))
        #expect(Kernels.status == .ready && Kernels.complaint == nil)
    }

    @Test func `a table that is not there is told from one that never was`() {
        #expect(Kernels.status(of: "") == .ready)
        #expect(Kernels.status(of: "portable") == .ready)
        #expect(Kernels.status(of: "scalar") == .ready)
        #expect(Kernels.status(of: "avx512") != .unknown)
        #expect(Kernels.status(of: "Portable") == .unknown)
    }
}
