import Testing

@testable import Node

@Suite struct LoggerTests {
    @Test func `a line stays one line`() {
        #expect(Logger.oneLine("a\nb\r\nc\u{1b}[2J") == "a b c [2J")
    }

    @Test func `levels are ordered by how much they matter`() {
        #expect(LogLevel.error < LogLevel.warning && LogLevel.info < LogLevel.debug)
    }

    @Test func `time is written the same everywhere`() {
        #expect(WallClock.text(0) == "1970-01-01T00:00:00Z")
        #expect(WallClock.text(1_000_000_000) == "2001-09-09T01:46:40Z")
    }

    @Test func `what was probably meant is near`() {
        #expect(Suggestion.nearest(to: "stauts", among: ["status", "send"]) == "status")
        #expect(Suggestion.nearest(to: "xyz", among: ["status", "send"]) == nil)
        #expect(Suggestion.editDistance("abcd", "abdc") == 1)
        #expect(Suggestion.editDistance("", "abc") == 3)
    }

    @Test func `a refusal is one line for each code and peer a minute`() {
        let logger = Logger(level: .error)
        func isLogged(_ code: String, _ peer: String, minute: UInt64) -> Bool {
            logger.reject(code: code, peer: peer, count: 1, minute: minute)
        }
        #expect(isLogged("replay", "a", minute: 1))
        #expect(!isLogged("replay", "a", minute: 1))
        #expect(isLogged("replay", "b", minute: 1))
        #expect(isLogged("headerMac", "a", minute: 1))
        #expect(isLogged("replay", "a", minute: 2))
    }
}
