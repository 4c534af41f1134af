"""Result files of other tools, read as they wrote them: cases, epochs, scores, errors and slices."""
