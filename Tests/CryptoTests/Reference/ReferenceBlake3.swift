/// BLAKE3 as the paper's section 2 tells it, incrementally over a stack of subtrees; shares nothing
/// with Sources.
struct ReferenceBlake3 {
    private static let iv: [UInt32] = [
        0x6A09_E667, 0xBB67_AE85, 0x3C6E_F372, 0xA54F_F53A,
        0x510E_527F, 0x9B05_688C, 0x1F83_D9AB, 0x5BE0_CD19,
    ]
    private static let permutation = [2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8]

    private struct Output {
        var chaining: [UInt32]
        var block: [UInt32]
        var counter: UInt64
        var length: UInt32
        var flags: UInt32

        var value: [UInt32] {
            Array(ReferenceBlake3.compress(chaining, block, counter, length, flags)[0..<8])
        }
    }

    let key: [UInt32]
    let flags: UInt32

    static func hash(_ input: [UInt8], count: Int = 32) -> [UInt8] {
        ReferenceBlake3(key: iv, flags: 0).digest(input, count)
    }

    static func keyed(_ key: [UInt8], _ input: [UInt8], count: Int = 32) -> [UInt8] {
        ReferenceBlake3(key: words(key), flags: 16).digest(input, count)
    }

    static func derive(_ context: String, _ material: [UInt8], count: Int) -> [UInt8] {
        let key = ReferenceBlake3(key: iv, flags: 32).digest(Array(context.utf8), 32)
        return ReferenceBlake3(key: words(key), flags: 64).digest(material, count)
    }

    private func digest(_ input: [UInt8], _ count: Int) -> [UInt8] {
        // Chunk after chunk; two subtrees of one size become one as soon as more follows.
        var stack: [[UInt32]] = []
        var chunks: UInt64 = 0
        var rest = input[...]
        while rest.count > 1024 {
            var subtree = chunk(Array(rest.prefix(1024)), chunks).value
            rest = rest.dropFirst(1024)
            chunks += 1
            var size = chunks
            while size & 1 == 0 {
                subtree = parent(stack.removeLast(), subtree).value
                size >>= 1
            }
            stack.append(subtree)
        }
        var output = chunk(Array(rest), chunks)
        while let left = stack.popLast() { output = parent(left, output.value) }
        return Self.expand(output, count)
    }

    private static func expand(_ output: Output, _ count: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        var counter: UInt64 = 0
        while bytes.count < count {
            let block = compress(
                output.chaining,
                output.block,
                counter,
                output.length,
                output.flags | 8
            )
            for word in block {
                for shift in 0..<4 { bytes.append(UInt8(word >> (8 * shift) & 255)) }
            }
            counter += 1
        }
        return Array(bytes.prefix(count))
    }

    private func chunk(_ bytes: [UInt8], _ counter: UInt64) -> Output {
        var chaining = key
        let blocks = max(1, (bytes.count + 63) / 64)
        for index in 0..<blocks {
            let part = Array(bytes.dropFirst(64 * index).prefix(64))
            let padded = part + [UInt8](repeating: 0, count: 64 - part.count)
            let output = Output(
                chaining: chaining,
                block: Self.words(padded),
                counter: counter,
                length: UInt32(part.count),
                flags: flags | (index == 0 ? 1 : 0) | (index == blocks - 1 ? 2 : 0)
            )
            if index == blocks - 1 { return output }
            chaining = output.value
        }
        fatalError("a chunk has a block")
    }

    private func parent(_ left: [UInt32], _ right: [UInt32]) -> Output {
        Output(chaining: key, block: left + right, counter: 0, length: 64, flags: flags | 4)
    }

    private static func words(_ bytes: [UInt8]) -> [UInt32] {
        stride(from: 0, to: bytes.count, by: 4).map { at in
            (0..<4).reduce(UInt32(0)) { $0 | UInt32(bytes[at + $1]) << (8 * UInt32($1)) }
        }
    }

    private static func compress(
        _ chaining: [UInt32],
        _ block: [UInt32],
        _ counter: UInt64,
        _ length: UInt32,
        _ flags: UInt32
    ) -> [UInt32] {
        var v = chaining + iv[0..<4]
        v += [UInt32(truncatingIfNeeded: counter), UInt32(counter >> 32), length, flags]
        var m = block
        func mix(_ a: Int, _ b: Int, _ c: Int, _ d: Int, _ x: UInt32, _ y: UInt32) {
            func right(_ value: UInt32, _ count: UInt32) -> UInt32 {
                value >> count | value << (32 - count)
            }
            v[a] = v[a] &+ v[b] &+ x
            v[d] = right(v[d] ^ v[a], 16)
            v[c] = v[c] &+ v[d]
            v[b] = right(v[b] ^ v[c], 12)
            v[a] = v[a] &+ v[b] &+ y
            v[d] = right(v[d] ^ v[a], 8)
            v[c] = v[c] &+ v[d]
            v[b] = right(v[b] ^ v[c], 7)
        }
        for _ in 0..<7 {
            for i in 0..<4 { mix(i, 4 + i, 8 + i, 12 + i, m[2 * i], m[2 * i + 1]) }
            for i in 0..<4 {
                mix(
                    i,
                    4 + (i + 1) % 4,
                    8 + (i + 2) % 4,
                    12 + (i + 3) % 4,
                    m[8 + 2 * i],
                    m[9 + 2 * i]
                )
            }
            m = permutation.map { m[$0] }
        }
        return (0..<8).map { v[$0] ^ v[$0 + 8] } + (0..<8).map { v[$0 + 8] ^ chaining[$0] }
    }
}
