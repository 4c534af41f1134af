"""What people read: terminal lines and the HTML report."""
