"""What a person sees and answers: views as pure functions of core values, the screen, and the gates at the terminal."""
