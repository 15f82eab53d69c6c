import Foundation
import FuzzTargets
import TestSupport
import Testing

/// The fuzzer's corpora, replayed: inputs that once found something, and good ones to start from.
@Suite struct FuzzTests {
    @Test(arguments: FuzzTarget.allCases)
    func `the corpus is answered without damage`(target: FuzzTarget) throws {
        let inputs = try corpus(target)
        #expect(!inputs.isEmpty)
        for input in inputs { target.run(input) }
    }

    @Test(arguments: FuzzTarget.allCases)
    func `changed inputs are answered without damage`(target: FuzzTarget) throws {
        var random = SeededGenerator("fuzz \(target.rawValue)")
        target.run([])
        let inputs = try corpus(target)
        for _ in 0..<100 {
            guard var input = inputs.randomElement(using: &random) else { return }
            switch Int.random(in: 0..<4, using: &random) {
            case 0: input.removeLast(Int.random(in: 0...input.count, using: &random))
            case 1: input += random.bytes(Int.random(in: 1...64, using: &random))
            case 2: input = random.bytes(input.count)
            default: break
            }
            for _ in 0..<Int.random(in: 0...4, using: &random) where !input.isEmpty {
                input[Int.random(in: input.indices, using: &random)] = UInt8.random(
                    in: .min ... .max,
                    using: &random
                )
            }
            target.run(input)
        }
    }

    @Test func `every corpus has a target`() throws {
        let folders = try FileManager.default.contentsOfDirectory(atPath: corpora.path)
        #expect(Set(folders) == Set(FuzzTarget.allCases.map(\.rawValue)))
    }

    private let corpora = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "Fuzz/Corpus")

    private func corpus(_ target: FuzzTarget) throws -> [[UInt8]] {
        let folder = corpora.appending(path: target.rawValue)
        return try FileManager.default.contentsOfDirectory(
            at: folder,
            includingPropertiesForKeys: nil
        )
        .sorted { $0.path < $1.path }
        .map { Array(try Data(contentsOf: $0)) }
    }
}
