import Foundation
import Testing

/// The tree keeps its own rules.
@Suite struct TidyTests {
    let repository = Repository.shared

    private func expectNone(_ findings: [String], _ comment: Comment? = nil) {
        #expect(findings.isEmpty, "\(comment?.rawValue ?? "")\n\(findings.joined(separator: "\n"))")
    }

    @Test func `there are files to look at`() {
        #expect(repository.sources.count > 50)
    }

    @Test func `no line of code is wider than a hundred columns`() {
        expectNone(repository.sources.flatMap(Rules.columns))
    }

    @Test func `work put off names its issue`() {
        expectNone(repository.written.flatMap(Rules.putOff))
    }

    @Test func `nothing of the machine it was written on is left in the tree`() {
        expectNone(repository.written.flatMap(Rules.machine))
    }

    @Test func `every page that is named is in the tree`() {
        let tracked = Set(repository.files.map(\.name))
        expectNone(repository.written.flatMap { Rules.pages($0, tracked: tracked) })
    }

    @Test func `every source that a page names is in the tree`() {
        let tracked = repository.files.map(\.path)
        expectNone(repository.written.flatMap { Rules.sources($0, tracked: tracked) })
    }

    @Test func `functions fit a screen, but for those we still owe`() {
        var long: [String: Int] = [:]
        for file in repository.sources {
            long.merge(Rules.longFunctions(file), uniquingKeysWith: max)
        }
        expectFalling(long, Ratchet.longFunctions)
    }

    @Test func `the word unsafe becomes no more frequent outside the memory modules`() {
        expectFalling(Rules.unsafeCounts(repository.files), Ratchet.unsafe)
    }

    /// No count is above what the ratchet says.
    private func expectFalling(_ counts: [String: Int], _ ratchet: [String: Int]) {
        let findings = counts.keys.sorted().compactMap { key in
            let (now, allowed) = (counts[key] ?? 0, ratchet[key] ?? 0)
            return now <= allowed ? nil : "\"\(key)\": \(now), ratchet \(allowed)"
        }
        expectNone(findings)
    }

    @Test func `every source declares something`() {
        expectNone(
            repository.sources.filter { $0.isOne(".swift", ".c", ".cpp") }.flatMap(Rules.empty)
        )
    }

    @Test func `every import is a direct dependency`() throws {
        let manifest = try Manifest.load()
        expectNone(
            repository.files.filter { $0.isOne(".swift") }.flatMap { Rules.imports($0, manifest) }
        )
    }

    @Test func `dependencies point down and are used`() throws {
        let manifest = try Manifest.load()
        expectNone(Rules.layers(manifest))
        expectNone(Rules.unlevelled(manifest))
        expectNone(Rules.unused(repository.files, manifest))
    }

    @Test func `every header is included and every other file is named`() {
        expectNone(
            Rules.deadHeaders(
                repository.sources + repository.files.filter { $0.isOne(".modulemap") }
            )
        )
        expectNone(Rules.unnamed(repository.files))
    }

    @Test func `every code is documented, and given or owed`() throws {
        let file = try #require(repository.file("Sources/Bytes/Drop.swift"))
        let cases = Rules.dropCases(file)
        #expect(cases.count > 40)
        expectNone(cases.filter { !$0.isDocumented }.map(\.name))
        let unused = Rules.unusedDrops(cases.map(\.name), repository.files)
        let owed = Set(Ratchet.unusedDrops.keys)
        expectNone(unused.subtracting(owed).sorted(), "no line of Sources gives:")
        expectNone(owed.subtracting(unused).sorted(), "given after all, so off the list:")
    }

    @Test func `the changelog speaks of this version`() throws {
        let log = try #require(repository.file("CHANGELOG.md")?.text)
        #expect(log.contains("## ["))
        #expect(log.contains("### Added"))
    }

    @Test func `one version is named everywhere`() throws {
        let make = try #require(repository.file("Makefile")?.text)
        let swift = try #require(repository.file("Sources/Node/Version.swift")?.text)
        let number = try #require(swift.firstMatch(of: /number = "([0-9.]+)"/)?.output.1)
        #expect(make.contains("VERSION := \(number)\n"))
        let log = try #require(repository.file("CHANGELOG.md")?.text)
        #expect(log.contains("## [\(number)]"))
    }

    @Test func `every vector file is explained beside it`() throws {
        let page = try #require(repository.file("Tests/Vectors/README.md")?.text)
        expectNone(Rules.unexplainedVectors(repository.files, page))
    }

    @Test func `swift code is formatted`() throws {
        let folders = ["Sources", "Tests", "Bench", "Package.swift"]
        guard
            let lint = run(
                "swift",
                ["format", "lint", "--strict", "-r", "-p"] + folders,
                in: repository.root
            )
        else { return }
        #expect(lint.status == 0, "\(lint.output)")
    }

    @Test func `c code is formatted`() throws {
        let files = repository.sources.filter { $0.isOne(".c", ".h", ".cpp") }.map(\.path)
        guard
            let lint = run(
                "clang-format-14",
                ["--dry-run", "-Werror"] + files,
                in: repository.root
            )
        else { return }
        #expect(lint.status == 0, "\(lint.output)")
    }
}
