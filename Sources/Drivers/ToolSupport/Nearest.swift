// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

/// The word that was probably meant: the one with the fewest letters missing, added, exchanged or changed, if these are
/// at most a third of it. Nil if none is near, or several are equally so.
package func nearest(to word: String, among words: [String]) -> String? {
    let distances = words.map { (word: $0, distance: distance(Array(word.utf8), Array($0.utf8))) }
    guard let least = distances.map(\.distance).min() else { return nil }
    let candidates = distances.filter { $0.distance == least }
    guard candidates.count == 1, least > 0, least <= max(1, min(word.utf8.count, candidates[0].word.utf8.count) / 3)
    else { return nil }
    return candidates[0].word
}

/// Of Damerau and Levenshtein, where no letter is moved twice.
private func distance(_ first: [UInt8], _ second: [UInt8]) -> Int {
    // Far beyond what a keyword can be, and a word may have any length.
    guard first.count <= 64 else { return first.count }
    var beforeLast: [Int] = []
    var last = Array(0...second.count)
    for (row, letter) in first.enumerated() {
        var current = [row + 1]
        for (column, other) in second.enumerated() {
            var best = min(last[column + 1] + 1, current[column] + 1, last[column] + (letter == other ? 0 : 1))
            if row > 0, column > 0, letter == second[column - 1], first[row - 1] == other {
                best = min(best, beforeLast[column - 1] + 1)
            }
            current.append(best)
        }
        (beforeLast, last) = (last, current)
    }
    return last[second.count]
}
