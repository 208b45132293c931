"""Independent numeric routes: nothing here may decide alone, everything here may disagree."""
