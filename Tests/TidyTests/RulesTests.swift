import Foundation
import Testing

/// Every rule is shown a fault and must see it.
@Suite struct RulesTests {
    private func file(_ text: String, _ path: String = "Sources/Relay/A.swift") -> Repository.File {
        Repository.File(path: path, text: text)
    }

    private let manifest = Manifest(targets: [
        Manifest.Target(name: "Relay", path: "Sources/Relay", dependencies: ["Bytes"]),
        Manifest.Target(name: "Bytes", path: "Sources/Bytes", dependencies: []),
    ])

    @Test func `a wide line is seen`() {
        #expect(Rules.columns(file(String(repeating: "a", count: 101))).count == 1)
        #expect(Rules.columns(file(String(repeating: "a", count: 100))).isEmpty)
    }

    @Test func `work put off without an issue is seen`() {
        let word = "TO" + "DO"
        #expect(Rules.putOff(file("// \(word): later")).count == 1)
        #expect(Rules.putOff(file("// \(word) (#3): later")).isEmpty)
        #expect(Rules.putOff(file("let \(word)S = 1")).isEmpty)
    }

    @Test func `traces of a machine are seen`() {
        #expect(Rules.machine(file("let path = \"/ho" + "me/me/x\"")).count == 1)
        #expect(Rules.machine(file("pip --index https://py" + "pi.org")).count == 1)
    }

    @Test func `a page that is not there is seen`() {
        let page = "GONE." + "md"
        #expect(Rules.pages(file("/// See \(page)."), tracked: ["README.md"]).count == 1)
        #expect(Rules.pages(file("/// See README.md."), tracked: ["README.md"]).isEmpty)
    }

    @Test func `a source that a page names in vain is seen`() {
        let page = file("Look at `Relay/Gone.swift`.", "README.md")
        #expect(Rules.sources(page, tracked: ["Sources/Relay/Worker.swift"]).count == 1)
        #expect(Rules.sources(page, tracked: ["Sources/Relay/Gone.swift"]).isEmpty)
    }

    @Test func `a function longer than a screen is seen`() {
        let body = String(repeating: "        work()\n", count: 60)
        let swift = "struct A {\n    func long(\n        a: Int\n    ) {\n\(body)    }\n}\n"
        #expect(Rules.longFunctions(file(swift)) == ["Sources/Relay/A.swift long": 64])
        let c = "static int\nlong_one(int a)\n{\n\(body)}\n"
        #expect(Rules.longFunctions(file(c, "CShims/A/a.c")).count == 1)
        let short = "func short() {\n    work()\n}\n\nlet table = [\n\(body)]\n"
        #expect(Rules.longFunctions(file(short)).isEmpty)
    }

    @Test func `the word unsafe is counted in code only`() {
        let text = "// unsafe\nlet a = unsafe b\nlet unsafeName = unsafe c // unsafe\n"
        #expect(Rules.unsafeCounts([file(text)]) == ["Relay": 2])
        #expect(Rules.unsafeCounts([file(text, "Sources/Bytes/A.swift")]).isEmpty)
    }

    @Test func `an empty source is seen`() {
        #expect(Rules.empty(file("// Filled later.\nimport Bytes\n")).count == 1)
        #expect(Rules.empty(file("import Bytes\nlet a = 1\n")).isEmpty)
        #expect(Rules.empty(file("#include \"a.h\"\n", "CShims/A/a.c")).count == 1)
    }

    @Test(
        arguments: [
            "import Bytes", "public import Bytes", "@testable import Bytes",
            "internal import struct Bytes.Region",
        ])
    func `an import is read whatever stands around it`(line: String) {
        #expect(Rules.imported(line[...]) == "Bytes")
    }

    @Test func `an import that is no dependency is seen`() {
        #expect(Rules.imports(file("import Bytes"), manifest).isEmpty)
        #expect(Rules.imports(file("public import Store"), manifest).count == 1)
        #expect(Rules.imports(file("internal import Foundation"), manifest).count == 1)
        #expect(Rules.imports(file("internal import FoundationEssentials"), manifest).count == 1)
        #expect(Rules.imports(file("import Bytes", "Elsewhere/A.swift"), manifest).count == 1)
    }

    @Test func `an upward dependency is seen`() {
        func edge(_ from: String, _ to: String) -> [String] {
            Rules.layers(
                Manifest(targets: [
                    Manifest.Target(name: from, path: "Sources/\(from)", dependencies: [to])
                ])
            )
        }
        #expect(edge("Relay", "Engine").isEmpty)
        #expect(edge("Engine", "Relay").count == 1)
        #expect(edge("Relay", "Store").count == 1)
        #expect(edge("Gateway", "Engine").count == 1)
        #expect(edge("Sphinx", "Tickets").count == 1)
        #expect(edge("Store", "CLMDB").isEmpty)
        #expect(edge("Chain", "CLMDB").count == 1)
        #expect(edge("Engine", "JSON").count == 1)
    }

    @Test func `a dependency that is not imported is seen`() {
        #expect(Rules.unused([file("let a = 1")], manifest).count == 1)
        #expect(Rules.unused([file("import Bytes")], manifest).isEmpty)
    }

    @Test func `a module without a level is seen`() {
        let target = Manifest.Target(name: "Extra", path: "Sources/Extra", dependencies: [])
        #expect(Rules.unlevelled(Manifest(targets: [target])).count == 1)
    }

    @Test func `a header that nobody includes is seen`() {
        let header = file("#pragma once", "CShims/A/a.h")
        #expect(Rules.deadHeaders([header]).count == 1)
        #expect(Rules.deadHeaders([header, file("#include \"a.h\"", "CShims/A/a.c")]).isEmpty)
    }

    @Test func `a file that nobody names is seen`() {
        let script = file("echo", "perf/plot.sh")
        #expect(Rules.unnamed([script]).count == 1)
        #expect(Rules.unnamed([script, file("run perf/plot.sh", "README.md")]).isEmpty)
    }

    @Test func `codes without a comment or a use are seen`() {
        let text = "enum Drop {\n    /// A copy.\n    case replay\n    case packetSize\n}\n"
        let cases = Rules.dropCases(file(text, "Sources/Bytes/Drop.swift"))
        #expect(cases.map(\.name) == ["replay", "packetSize"])
        #expect(cases.map(\.isDocumented) == [true, false])
        #expect(Rules.unusedDrops(["replay", "gone"], [file("drop(.replay)")]) == ["gone"])
    }

    @Test func `a vector without an explanation is seen`() {
        let vectors = ["packet-head-0hop.json", "other.json"].map {
            file("", "Tests/Vectors/\($0)")
        }
        #expect(Rules.unexplainedVectors(vectors, "`packet-…`").count == 1)
    }

    @Test func `the manifest is read with and without conditions`() throws {
        let json = """
            {"targets": [{"name": "a", "path": "A", "dependencies":
              [{"byName": ["b", null]}, {"target": ["c", {"platformNames": ["linux"]}]}]}]}
            """
        let target = try #require(try Manifest(json: Data(json.utf8)).targets.first)
        #expect(target.dependencies == ["b", "c"])
        #expect(Manifest(targets: [target]).target(of: "A/x.swift")?.name == "a")
    }
}
